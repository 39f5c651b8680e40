// The film as it grows: by hls.js where the browser takes it, else by the browser itself.

const TYPE = "application/vnd.apple.mpegurl";
const AGAIN = 2000; // milliseconds until a film that can't be loaded is asked for again

export class Player {
  /** `tell`: hint(text), begun(), followed(on). */
  constructor(video, base, tell) {
    Object.assign(this, { video, base, tell, film: { epoch: "", seconds: 0 }, codec: "", live: false });
    this.hls = null;
    this.epoch = ""; // of the film that is open; empty: none is
    this.broken = 0;
    video.addEventListener("waiting", () => this.wait());
    video.addEventListener("ended", () => this.tell.hint(""));
    video.addEventListener("playing", () => { this.broken = 0; this.tell.hint(""); });
    video.addEventListener("error", () => this.hls || (this.epoch && this.unplayable()));
    video.addEventListener("play", () => this.epoch || this.play(0)); // by the browser's own button
  }

  /** There is more film, or some was taken back. */
  grow(film) {
    this.film = film;
    if (this.epoch && film.epoch !== this.epoch) {
      const { currentTime, paused } = this.video;
      if (film.epoch) this.open(Math.min(currentTime, this.end), !paused);
      else this.close();
    }
  }

  /** The last moment that there is. */
  get end() { return Math.max(0, this.film.seconds - 0.05); }

  play(at, go = true) {
    if (!this.film.epoch) return;
    this.tell.followed(false);
    at = Math.max(0, Math.min(at, this.end));
    if (this.epoch) {
      this.video.currentTime = at;
      if (go) this.start();
    } else {
      this.open(at, go);
    }
  }

  /** The newest part, and on as it grows. */
  follow() {
    this.play(this.film.seconds - this.film.keyframe_seconds);
    this.tell.followed(true);
  }

  toggle() {
    if (!this.epoch) this.play(0);
    else if (this.video.paused) this.start();
    else this.video.pause();
  }

  skip(seconds) { if (this.epoch) this.play(this.video.currentTime + seconds, false); }

  open(at, go) {
    this.close();
    const { video, film } = this;
    const url = `${this.base}/film/${film.epoch}/watch.m3u8`;
    this.epoch = film.epoch;
    this.tell.begun();
    if (window.Hls?.isSupported()) {
      this.hls = new Hls({ enableWorker: false, startPosition: at, backBufferLength: 30, maxBufferLength: 20 });
      this.hls.on(Hls.Events.ERROR, (_, error) => this.fail(error));
      this.hls.loadSource(url);
      this.hls.attachMedia(video);
    } else if (video.canPlayType(TYPE)) {
      video.src = url;
      video.addEventListener("loadedmetadata", () => { video.currentTime = at; }, { once: true });
    } else {
      this.unplayable();
      return;
    }
    if (go) this.start();
  }

  close() {
    this.hls?.destroy();
    this.hls = null;
    if (this.epoch) this.video.removeAttribute("src");
    this.epoch = "";
  }

  start() {
    this.video.play()?.catch((error) => {
      if (error.name === "NotAllowedError") this.tell.hint("Press play.");
    });
  }

  wait() {
    const last = this.film.seconds - this.video.currentTime < 1;
    if (last && !this.film.finished) this.tell.hint(this.live ? "Waiting for more film…" : "The film so far ends here.");
  }

  fail(error) {
    if (!error.fatal) return;
    if (error.type === Hls.ErrorTypes.NETWORK_ERROR) { // the server is away, or the film was taken back
      const { currentTime, paused } = this.video;
      this.tell.hint("The film can't be loaded; trying again…");
      clearTimeout(this.again);
      this.again = setTimeout(() => {
        if (this.film.epoch) this.open(Math.min(currentTime, this.end), !paused);
      }, AGAIN);
    } else if (error.type === Hls.ErrorTypes.MEDIA_ERROR && this.broken++ < 1) {
      this.hls.recoverMediaError();
      if (!this.video.paused) this.start();
    } else {
      this.unplayable();
    }
  }

  unplayable() {
    this.hls?.destroy();
    this.hls = null;
    const codec = this.codec ? ` (${this.codec})` : "";
    this.tell.hint(`This browser can't play the film${codec}. Its file and its keyframes are below.`);
  }
}
