// What both pages need. What a render says is only ever put in as text.

export const $ = (id) => document.getElementById(id);

export function make(tag, attributes = {}, ...children) {
  const element = Object.assign(document.createElement(tag), attributes);
  element.append(...children);
  return element;
}

/** Show `text` in an element, or hide it where there is none. */
export function say(element, text) {
  element.hidden = !text;
  if (element.textContent !== text) element.textContent = text;
}

/** Call `changed` with what is new of `url`'s events, and all that is known; only while looked at. */
export function follow(url, changed, trouble) {
  let source = null;
  let known = {};
  const open = () => {
    if (source) return;
    known = {};
    source = new EventSource(url);
    source.onmessage = (event) => {
      const news = JSON.parse(event.data);
      Object.assign(known, news);
      trouble("");
      changed(news, known);
    };
    source.onopen = () => { known = {}; };
    source.onerror = () => {
      const refused = source.readyState === EventSource.CLOSED;
      trouble(refused
        ? "The server no longer knows this browser: open the link that it printed last."
        : "The server can't be reached; this page goes on as soon as it can.");
      if (refused) { source = null; setTimeout(() => document.hidden || open(), 5000); }
    };
  };
  const close = () => { source?.close(); source = null; };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  open();
}
