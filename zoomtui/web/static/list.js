import { $, follow, make, say } from "./common.js";

const cards = new Map(); // name and id → [what it shows, its element]

function card(render) {
  const picture = make("div", { className: "picture" });
  if (render.picture) {
    const src = `/r/${render.id}/keyframe/${render.picture}/small`;
    picture.append(make("img", { src, alt: "", loading: "lazy" }));
  } else {
    picture.append("no picture yet");
  }
  const word = make("span", { className: `word ${render.tone}`, textContent: render.word });
  const about = make("div", { className: "about" },
    make("h2", {}, make("span", { textContent: render.name }), word),
    make("p", { className: "said", textContent: render.why || render.prompt || "" }),
    make("p", { className: "faint", textContent: render.facts.join(" · ") }));
  const parts = [picture, about];
  if (render.share) parts.splice(1, 0, make("progress", { value: render.share, ariaLabel: "keyframes" }));
  const body = render.id
    ? make("a", { className: "card", href: `/r/${render.id}` }, ...parts)
    : make("div", { className: "card" }, ...parts);
  return make("li", {}, body);
}

function show(news, { renders, free, problem }) {
  say($("free"), free);
  $("empty").hidden = renders.length > 0 || Boolean(problem);
  const seen = new Set();
  const focused = document.activeElement?.getAttribute("href");
  renders.forEach((render, index) => {
    const key = `${render.id} ${render.name}`;
    const shown = JSON.stringify(render);
    seen.add(key);
    if (cards.get(key)?.[0] !== shown) {
      const element = card(render);
      cards.get(key)?.[1].replaceWith(element);
      cards.set(key, [shown, element]);
    }
    const [, element] = cards.get(key);
    const there = $("renders").children[index];
    if (there !== element) $("renders").insertBefore(element, there ?? null);
  });
  for (const [key, [, element]] of cards) if (!seen.has(key)) { element.remove(); cards.delete(key); }
  if (focused) document.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

let problem = "";
let trouble = "";
follow("/events", (news, known) => {
  problem = known.problem;
  show(news, known);
  say($("notice"), trouble || problem);
}, (text) => { trouble = text; say($("notice"), trouble || problem); });
