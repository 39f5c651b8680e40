// The keyframes in a row. However many there are, only those in sight have an element and a picture.

import { make } from "./common.js";

export class Strip {
  constructor(strip, rail, url, open) {
    Object.assign(this, { strip, rail, url, open, count: 0, marks: {}, here: -1, shown: new Map() });
    this.step = matchMedia("(max-width: 30rem)").matches ? 112 : 134;
    strip.addEventListener("scroll", () => this.paint(), { passive: true });
    new ResizeObserver(() => this.paint()).observe(strip);
  }

  show(count, marks) {
    const { strip } = this;
    const atEnd = strip.scrollLeft + strip.clientWidth >= strip.scrollWidth - this.step;
    Object.assign(this, { count, marks });
    this.rail.style.width = `${count * this.step}px`;
    if (atEnd) strip.scrollLeft = strip.scrollWidth;
    this.paint();
  }

  /** The film is at this keyframe. */
  mark(keyframe) {
    if (keyframe === this.here) return;
    this.shown.get(this.here)?.classList.remove("here");
    this.shown.get(keyframe)?.classList.add("here");
    this.here = keyframe;
  }

  paint() {
    const first = Math.max(0, Math.floor(this.strip.scrollLeft / this.step) - 2);
    const last = Math.min(this.count, Math.ceil((this.strip.scrollLeft + this.strip.clientWidth) / this.step) + 2);
    for (const [keyframe, button] of this.shown) {
      if (keyframe < first || keyframe >= last) { button.remove(); this.shown.delete(keyframe); }
    }
    for (let keyframe = first; keyframe < last; keyframe++) {
      if (!this.shown.has(keyframe)) this.add(keyframe);
      const [picture, label] = this.shown.get(keyframe).children;
      const src = this.url(keyframe);
      const text = `${keyframe + 1} ${this.marks[keyframe] ?? ""}`.trim();
      if (picture.getAttribute("src") !== src) picture.src = src;
      if (label.textContent !== text) label.textContent = text;
    }
  }

  add(keyframe) {
    const button = make("button", { onclick: () => this.open(keyframe) },
      make("img", { alt: `keyframe ${keyframe + 1}` }), make("span"));
    button.style.left = `${keyframe * this.step}px`;
    button.classList.toggle("here", keyframe === this.here);
    const after = [...this.shown].find(([other]) => other > keyframe)?.[1];
    this.rail.insertBefore(button, after ?? null);
    this.shown.set(keyframe, button);
  }
}
