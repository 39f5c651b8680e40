// The keyframes in a row. However many there are, only those in sight have an element and a picture.
// Two are fetched at a time: a browser has six connections for a page, and the film comes first.

import { make } from "./common.js";

export class Strip {
  constructor(strip, rail, url, open) {
    Object.assign(this, { strip, rail, url, open, count: 0, marks: {}, here: -1, shown: new Map(), fetching: 0 });
    strip.addEventListener("scroll", () => this.paint(), { passive: true });
    new ResizeObserver(() => this.paint()).observe(strip);
  }

  /** Pixels from one to the next. */
  get step() { return matchMedia("(max-width: 30rem)").matches ? 112 : 134; }

  show(count, marks) {
    const { strip } = this;
    const atEnd = strip.scrollLeft + strip.clientWidth >= strip.scrollWidth - this.step;
    Object.assign(this, { count, marks });
    this.paint();
    if (atEnd) strip.scrollLeft = strip.scrollWidth; // which paints again
  }

  /** The film is at this keyframe. */
  mark(keyframe) {
    if (keyframe === this.here) return;
    this.shown.get(this.here)?.classList.remove("here");
    this.shown.get(keyframe)?.classList.add("here");
    this.here = keyframe;
  }

  paint() {
    const { step, strip } = this;
    this.rail.style.width = `${this.count * step}px`;
    const first = Math.max(0, Math.floor(strip.scrollLeft / step) - 2);
    const last = Math.min(this.count, Math.ceil((strip.scrollLeft + strip.clientWidth) / step) + 2);
    for (const [keyframe, button] of this.shown) {
      if (keyframe < first || keyframe >= last) { button.remove(); this.shown.delete(keyframe); }
    }
    for (let keyframe = first; keyframe < last; keyframe++) {
      if (!this.shown.has(keyframe)) this.add(keyframe);
      const button = this.shown.get(keyframe);
      button.style.left = `${keyframe * step}px`;
      const label = button.lastChild;
      const text = `${keyframe + 1} ${this.marks[keyframe] ?? ""}`.trim();
      if (label.textContent !== text) label.textContent = text;
    }
    this.fetch();
  }

  fetch() {
    for (const [keyframe, { firstChild: picture }] of this.shown) {
      const src = this.url(keyframe);
      if (this.fetching > 1) return;
      if (picture.onload || picture.getAttribute("src") === src) continue;
      this.fetching++;
      picture.onload = picture.onerror = () => {
        picture.onload = picture.onerror = null;
        this.fetching--;
        this.fetch();
      };
      picture.src = src;
    }
  }

  add(keyframe) {
    const said = `keyframe ${keyframe + 1}`;
    const button = make("button", { onclick: () => this.open(keyframe), ariaLabel: said },
      make("img", { alt: "" }), make("span"));
    button.classList.toggle("here", keyframe === this.here);
    const after = [...this.shown].find(([other]) => other > keyframe)?.[1];
    this.rail.insertBefore(button, after ?? null);
    this.shown.set(keyframe, button);
  }
}
