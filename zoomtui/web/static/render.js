import { $, follow, make, say } from "./common.js";
import { Player } from "./player.js";
import { Strip } from "./strip.js";

const base = location.pathname.replace(/\/$/, "");
const keyframeUrl = (k, size) => `${base}/keyframe/${k}/${now.takes[k] ?? 1}/${size}`;
let now = { takes: {}, marks: {}, keyframes: 0, film: { epoch: "", seconds: 0 } };
let viewed = 0;

const player = new Player($("video"), base, {
  hint: (text) => say($("hint"), text),
  begun: () => $("cover").classList.remove("ready"),
  followed: (on) => $("newest").setAttribute("aria-pressed", on),
});
const strip = new Strip($("strip"), $("rail"), (k) => keyframeUrl(k, "small"), view);

// ------------------------------------------------------------------ what the server tells

const shows = {
  name(name) { say($("name"), name); },
  state({ word, tone, live, notice }) {
    say($("word"), word);
    $("word").className = `word ${tone}`;
    say($("notice"), notice);
    player.live = live;
  },
  count(count) { say($("count"), `${count} keyframes`); },
  share(share) { $("share").hidden = share === null; if (share !== null) $("share").value = share; },
  prompt(prompt) { say($("prompt"), prompt || "(no prompt)"); },
  next(next) { say($("next"), next && `from keyframe ${now.next_from}: ${next}`); },
  step(step) {
    $("step-row").hidden = !step;
    if (step) { $("step").max = step[1]; $("step").value = step[0]; }
  },
  film(film) {
    player.grow(film);
    $("start").disabled = $("newest").disabled = !film.epoch;
    say($("waiting"), film.epoch ? "" : "There is no film yet.");
    $("cover").classList.toggle("ready", Boolean(film.epoch && !player.epoch));
    if (!film.epoch) $("cover").hidden = false;
    $("film-file").hidden = !film.epoch;
    $("film-file").href = `${base}/film.mp4`;
    $("film-file").download = `${now.name}.mp4`;
  },
  codec(codec) { player.codec = codec; },
  facts(groups) {
    $("facts").replaceChildren(...groups.map(([title, rows]) => make("section", {},
      make("h2", { textContent: title }),
      make("dl", {}, ...rows.flatMap(([label, value]) => [
        make("dt", { textContent: label }), make("dd", { textContent: value })])))));
  },
  charts({ drawn, titles }) {
    $("charts").hidden = !titles.length;
    titles.forEach(([name, title], index) => {
      const src = `${base}/chart/${name}?drawn=${drawn}`;
      const there = $("charts").children[index]?.firstChild;
      if (there) Object.assign(there, { src, alt: title });
      else $("charts").append(make("figure", {}, make("img", { src, alt: title })));
    });
    while ($("charts").children.length > titles.length) $("charts").lastChild.remove();
  },
  alone(alone) { $("all").hidden = alone; },
  log(lines) {
    const log = $("log"), atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
    $("log-section").hidden = !lines.length;
    log.replaceChildren(...lines.map(([at, text]) =>
      make("li", {}, make("time", { textContent: at }), text)));
    if (atEnd) log.scrollTop = log.scrollHeight;
  },
};

function showKeyframes() {
  const newest = now.keyframes - 1;
  $("strip-section").hidden = newest < 0;
  $("keyframe-file").hidden = newest < 0;
  if (newest < 0) { $("poster").hidden = true; return; }
  $("keyframe-file").href = keyframeUrl(newest, "full");
  $("poster").hidden = false;
  if (!$("cover").hidden) $("poster").src = keyframeUrl(newest, "large");
  strip.show(now.keyframes, now.marks);
  if ($("viewer").open) view(Math.min(viewed, newest));
}

follow(`${base}/events`, (news, known) => {
  now = known;
  for (const [part, value] of Object.entries(news)) shows[part]?.(value);
  if ("keyframes" in news || "takes" in news || "marks" in news || "film" in news) showKeyframes();
  document.title = `${known.state.word[0]} ${known.count} · ${known.name}`;
}, (text) => say($("notice"), text || now.state?.notice));

// ------------------------------------------------------------------------------ keyframes

function view(keyframe) {
  viewed = Math.max(0, Math.min(keyframe, now.keyframes - 1));
  const note = now.marks[viewed];
  const src = keyframeUrl(viewed, "large");
  if ($("viewer-picture").getAttribute("src") !== src) $("viewer-picture").src = src;
  $("viewer-picture").alt = `keyframe ${viewed + 1}${note ? `: ${note}` : ""}`;
  say($("viewer-caption"), `${viewed + 1} of ${now.keyframes}${note ? ` · ${note}` : ""}`);
  $("viewer-file").href = keyframeUrl(viewed, "full");
  $("viewer-back").disabled = viewed === 0;
  $("viewer-on").disabled = viewed === now.keyframes - 1;
  if (!$("viewer").open) $("viewer").showModal();
}

$("viewer-back").onclick = () => view(viewed - 1);
$("viewer-on").onclick = () => view(viewed + 1);
$("viewer-close").onclick = () => $("viewer").close();
$("viewer-film").onclick = () => {
  $("viewer").close();
  player.play(viewed * now.film.keyframe_seconds);
};
const shape = (width, height) => $("cover").parentNode.style.setProperty("--shape", width / height);
$("poster").onload = () => shape($("poster").naturalWidth, $("poster").naturalHeight);
$("video").addEventListener("loadeddata", () => { $("cover").hidden = true; });
$("video").addEventListener("loadedmetadata", () => shape($("video").videoWidth, $("video").videoHeight));

// ----------------------------------------------------------------------------- film, keys

const keyframeAt = () => Math.round($("video").currentTime / (now.film.keyframe_seconds || 1));
const step = (count) => player.play((keyframeAt() + count) * now.film.keyframe_seconds, false);
$("start").onclick = () => player.play(0);
$("newest").onclick = () => player.follow();
$("cover").onclick = () => player.toggle();
$("help-button").onclick = () => $("help").showModal();
$("video").addEventListener("timeupdate", () => strip.mark(Math.floor($("video").currentTime / (now.film.keyframe_seconds || 1))));

const KEYS = {
  " ": () => player.toggle(),
  ArrowLeft: () => player.skip(-5),
  ArrowRight: () => player.skip(5),
  ",": () => step(-1),
  ".": () => step(1),
  Home: () => player.play(0),
  End: () => player.follow(),
  k: () => now.keyframes && view(now.keyframes - 1),
  f: () => (document.fullscreenElement ? document.exitFullscreen() : $("video").requestFullscreen?.()),
  "?": () => $("help").showModal(),
};
const VIEWER_KEYS = {
  ArrowLeft: () => view(viewed - 1),
  ArrowRight: () => view(viewed + 1),
  Home: () => view(0),
  End: () => view(now.keyframes - 1),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || $("help").open) return;
  if (event.key === " " && event.target.closest("button, a, summary")) return;
  const deed = ($("viewer").open ? VIEWER_KEYS : KEYS)[event.key];
  if (!deed) return;
  event.preventDefault();
  event.stopPropagation(); // the browser's own controls know some of these keys, too
  deed();
}, true);
