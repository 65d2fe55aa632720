
// The map: a window of symbols and days, which the server cuts to as many cells as there is room for. Each
// move asks for another window; what is shown is asked for again every two seconds.
(() => {
  const EVERY = 2000;
  const SOON = 300;
  const DAY = 86400000;
  const CELL_WIDTH = 8;
  const ROWS = 40;
  const TOP = 30;
  const NAMES = ["dataset", "schema", "stype_in", "job"];
  const canvas = document.getElementById("map-canvas");
  const [tip, words, asOf, detail, which, wantedSymbol] =
    ["tip", "words", "as-of", "detail", "which", "symbol"].map((name) => document.getElementById(`map-${name}`));
  if (!canvas) return;
  const ink = canvas.getContext("2d");

  const dayOf = (text) => Math.round(Date.parse(`${text}T00:00:00Z`) / DAY);
  const textOf = (day) => new Date(day * DAY).toISOString().slice(0, 10);
  const between = (value, least, most) => Math.max(least, Math.min(most, value));

  // Each state's name, sign and meaning, by its letter: the legend says them.
  const states = {};
  for (const cell of document.querySelectorAll("#map .legend .cell")) {
    const meaning = cell.parentElement.textContent.slice(cell.textContent.length).trim();
    states[cell.dataset.letter] = { name: cell.dataset.state, sign: cell.textContent, meaning };
  }

  // What is wanted: a map, and of it symbols and days; what is null is all of it.
  const address = new URLSearchParams(location.search);
  let view = {
    map: Object.fromEntries(NAMES.filter((name) => address.get(name)).map((name) => [name, address.get(name)])),
    symbol: address.get("symbol") || null,
    first: address.has("first_symbol") ? Number(address.get("first_symbol")) : null,
    symbols: address.has("symbols") ? Number(address.get("symbols")) : null,
    start: address.get("start") ? dayOf(address.get("start")) : null,
    end: address.get("end") ? dayOf(address.get("end")) : null,
  };
  let shown = null; // the last window
  let text = ""; // and its text
  let summed = ""; // and that in words
  let place = null; // where it is drawn
  let mark = null; // the symbol and day that keys move
  let choices = [];

  function addressOf(view) {
    const address = new URLSearchParams(view.map);
    if (view.symbol) address.set("symbol", view.symbol);
    if (view.first !== null) address.set("first_symbol", view.first);
    if (view.symbols !== null) address.set("symbols", view.symbols);
    if (view.start !== null) address.set("start", textOf(view.start));
    if (view.end !== null) address.set("end", textOf(view.end));
    return address;
  }

  // ── asking ──

  let asking = false;
  let askAgain = false;
  let again = 0; // the one question that waits for a map that is being gathered
  let soon = SOON; // and for how long
  let failures = 0; // in a row: each doubles the pause
  async function load() {
    if (asking) { askAgain = true; return; }
    asking = true;
    const address = addressOf(view);
    address.set("rows", ROWS);
    address.set("columns", between(Math.floor((canvas.clientWidth - 90) / CELL_WIDTH), 10, 400));
    try {
      const answer = await fetchText(`/api/coverage?${address}`);
      take(answer);
    } catch { /* the page says that nobody answers */ }
    asking = false;
    if (askAgain) { askAgain = false; load(); }
  }

  function take(answer) {
    const told = JSON.parse(answer.text);
    if (answer.status === 202) {
      clearTimeout(again);
      again = setTimeout(load, soon);
      soon = Math.min(2 * soon, EVERY);
      return;
    }
    if (answer.status !== 200) { fail(answer.status, told); return; }
    soon = SOON;
    failures = 0;
    const was = text;
    text = answer.text;
    if (view.symbol) view = { ...view, symbol: null, first: told.first_symbol, symbols: 1 };
    asOf.textContent = `as of ${told.gathered_at.slice(11, 19)} UTC`;
    if (was === text) return;
    shown = told;
    shown.from = dayOf(told.start);
    shown.to = dayOf(told.end);
    canvas.dataset.gathered = told.gathered_at;
    const now = summary();
    if (now !== summed) say(now);
    summed = now;
    draw();
  }

  // What the asker can't help is asked for less and less often.
  function fail(status, told) {
    if (status >= 500) failures += 1;
    summed = "";
    text = "";
    say(`${told.error}; ${told.help}`);
  }

  function say(what) {
    if (words.textContent !== what) words.textContent = what;
  }

  function summary() {
    const rows = shown.rows;
    if (rows.length === 0) return "Nothing of this map is asked for or held.";
    const [first, last] = [rows[0].first, rows[rows.length - 1].last];
    const names = first === last ? first : `${first} to ${last}`;
    const meanings = Object.fromEntries(Object.values(states).map((state) => [state.name, state.meaning]));
    const days = Object.entries(shown.days).filter(([, count]) => count > 0);
    const counts = days.map(([name, count]) => `${count.toLocaleString("en")} ${meanings[name]}`).join(", ");
    const left = shown.whole.symbols_left_out;
    const beyond = left > 0 ? `; ${left} symbols beyond those have no room` : "";
    return `${names}: ${shown.symbols} of ${shown.whole.symbols} symbols, ${shown.start} to ${textOf(shown.to - 1)}; ${counts || "nothing asked for"}${beyond}.`;
  }

  // ── drawing ──

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  let patterns = {};
  const STROKES = {
    failed: [[0, 0, 8, 8], [0, 8, 8, 0]], degraded: [[0, 8, 8, 0]], running: [[4, 0, 4, 8]], held: [[0, 4, 8, 4]],
    missing: [[0, 0, 8, 8]], pending: [[2, 3, 4, 3]], not_listed: [[2, 4, 5, 4]],
  };

  // A colour of its own and strokes of their own: either is enough to know a state by.
  function fill(state) {
    const known = patterns[state.name];
    if (known) return known;
    const scale = devicePixelRatio || 1;
    const tile = document.createElement("canvas");
    tile.width = tile.height = Math.round(8 * scale);
    const pen = tile.getContext("2d");
    pen.scale(tile.width / 8, tile.width / 8);
    pen.fillStyle = colour(`--s-${state.name}`);
    pen.fillRect(0, 0, 8, 8);
    pen.strokeStyle = inkOn(state);
    pen.globalAlpha = 0.75;
    pen.lineWidth = 1.2;
    for (const [x, y, toX, toY] of STROKES[state.name] || []) {
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(toX, toY);
      pen.stroke();
    }
    const pattern = ink.createPattern(tile, "repeat");
    pattern.setTransform(new DOMMatrix().scale(8 / tile.width));
    return (patterns[state.name] = pattern);
  }

  function inkOn(state) {
    const cell = document.querySelector(`#map .legend .s-${state.name}`);
    return getComputedStyle(cell).color;
  }

  function draw() {
    if (!shown) return;
    const scale = devicePixelRatio || 1;
    const rows = shown.rows;
    const columns = rows.length ? rows[0].cells.length : 0;
    const width = canvas.clientWidth;
    const rowHeight = rows.length ? between(Math.floor(560 / rows.length), 14, 24) : 24;
    const height = TOP + Math.max(1, rows.length) * rowHeight + 2;
    canvas.style.setProperty("height", `${height}px`);
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    ink.setTransform(scale, 0, 0, scale, 0, 0);
    ink.font = "11px ui-monospace, Menlo, Consolas, monospace";
    const left = Math.min(150, 10 + Math.max(24, ...rows.map((row) => ink.measureText(label(row)).width)));
    place = { left, rowHeight, columns, columnWidth: columns ? Math.min((width - left - 1) / columns, 48) : 0 };
    ink.clearRect(0, 0, width, height);
    drawDays();
    drawCells();
    drawMark();
  }

  const label = (row) => (row.first === row.last ? row.first : `${row.first} …`);

  function drawDays() {
    const { left, columns, columnWidth } = place;
    ink.fillStyle = colour("--quiet");
    ink.textBaseline = "alphabetic";
    let free = left;
    let before = "";
    for (let column = 0; column < columns; column += 1) {
      const day = textOf(shown.from + column * shown.days_per_column);
      const x = left + column * columnWidth;
      const month = day.slice(0, 7);
      if (month !== before && x >= free) {
        ink.fillText(month, x, 11);
        ink.fillRect(x, 14, 1, TOP - 14);
        free = x + 56;
        before = month;
      }
      if (shown.days_per_column === 1 && columnWidth >= 15) ink.fillText(day.slice(8), x + columnWidth / 2 - 6, 26);
    }
  }

  function drawCells() {
    const { left, rowHeight, columnWidth } = place;
    const gap = columnWidth >= 6 ? 1 : 0;
    const hasRoom = columnWidth >= 10 && rowHeight >= 12;
    ink.textBaseline = "middle";
    shown.rows.forEach((row, index) => {
      const y = TOP + index * rowHeight;
      ink.fillStyle = colour("--text");
      ink.textAlign = "left";
      ink.fillText(label(row), 0, y + rowHeight / 2, left - 6);
      ink.textAlign = "center";
      [...row.cells].forEach((letter, column) => {
        const state = states[letter];
        const x = left + column * columnWidth;
        ink.fillStyle = hasRoom ? colourOf(state) : fill(state);
        ink.fillRect(x, y, columnWidth - gap, rowHeight - 1);
        if (hasRoom && state.sign) {
          ink.fillStyle = inks[state.name] || (inks[state.name] = inkOn(state));
          ink.fillText(state.sign, x + (columnWidth - gap) / 2, y + rowHeight / 2);
        }
      });
    });
    ink.textAlign = "left";
  }

  let inks = {};
  let colours = {};
  const colourOf = (state) => colours[state.name] || (colours[state.name] = colour(`--s-${state.name}`));

  function drawMark() {
    const cell = marked();
    if (!cell) return;
    const { left, rowHeight, columnWidth } = place;
    ink.strokeStyle = colour("--text");
    ink.lineWidth = 2;
    ink.strokeRect(left + cell.column * columnWidth - 1, TOP + cell.row * rowHeight - 1, columnWidth + 1, rowHeight + 1);
  }

  // ── pointing ──

  // The cell at a place of the picture, and what it stands for.
  function cellAt(x, y) {
    if (!place || !place.columns) return null;
    const column = Math.floor((x - place.left) / place.columnWidth);
    const row = Math.floor((y - TOP) / place.rowHeight);
    if (column < 0 || column >= place.columns || row < 0 || row >= shown.rows.length) return null;
    return cell(row, column);
  }

  function cell(row, column) {
    const from = shown.from + column * shown.days_per_column;
    const to = Math.min(from + shown.days_per_column, shown.to);
    const { first, last, cells } = shown.rows[row];
    const firstSymbol = shown.first_symbol + row * shown.symbols_per_row;
    const symbols = Math.min(shown.symbols_per_row, shown.first_symbol + shown.symbols - firstSymbol);
    return { row, column, from, to, first, last, firstSymbol, symbols, state: states[cells[column]] };
  }

  // The cell that holds the mark, where the window does.
  function marked() {
    if (!mark || !place || !place.columns) return null;
    const row = Math.floor((mark.symbol - shown.first_symbol) / shown.symbols_per_row);
    const column = Math.floor((mark.day - shown.from) / shown.days_per_column);
    const isInside = row >= 0 && row < shown.rows.length && column >= 0 && column < place.columns;
    return isInside ? cell(row, column) : null;
  }

  function describe(cell) {
    const names = cell.symbols === 1 ? cell.first : `${cell.first} … ${cell.last} (${cell.symbols} symbols)`;
    const days = cell.to - cell.from === 1 ? textOf(cell.from) : `${textOf(cell.from)} … ${textOf(cell.to - 1)}`;
    return `${names}, ${days}: ${cell.state.meaning}`;
  }

  function showTip(cell) {
    tip.hidden = !cell;
    if (!cell) return;
    tip.textContent = describe(cell);
    const x = place.left + (cell.column + 0.5) * place.columnWidth;
    const y = TOP + cell.row * place.rowHeight;
    const room = canvas.clientWidth - tip.offsetWidth - 4;
    tip.style.setProperty("left", `${between(x + 12, 0, Math.max(0, room))}px`);
    tip.style.setProperty("top", `${y + place.rowHeight + 4}px`);
    later(cell);
  }

  // What chunks are behind a single day, once the pointer or the mark rests.
  let resting = 0;
  let told = "";
  function later(cell) {
    clearTimeout(resting);
    if (cell.symbols !== 1 || cell.to - cell.from !== 1) return;
    const key = `${cell.first} ${cell.from} ${shown.gathered_at}`;
    if (key !== told) resting = setTimeout(() => { told = key; tell(cell); }, 250);
  }

  async function tell(cell) {
    const address = new URLSearchParams({ ...view.map, symbol: cell.first, day: textOf(cell.from) });
    try {
      const { status, text } = await fetchText(`/api/coverage/day?${address}`);
      if (status !== 200) return;
      const day = JSON.parse(text);
      const chunks = day.chunks.map((chunk) => {
        const error = chunk.error ? `: ${chunk.error}` : "";
        return `chunk ${chunk.chunk} of job ${chunk.job} (${chunk.job_name}), ${chunk.state}, ${chunk.rows.toLocaleString("en")} rows${error}`;
      });
      detail.textContent = `${day.symbol}, ${day.day}: ${day.meaning}; ${chunks.join("; ") || "no chunk of it"}`;
    } catch { /* the page says that nobody answers */ }
  }

  // ── moving ──

  function go(change) {
    if (!shown) return;
    const all = { symbols: shown.whole.symbols, start: dayOf(shown.whole.start), end: dayOf(shown.whole.end) };
    const now = { first: view.first ?? 0, symbols: view.symbols ?? all.symbols, start: view.start ?? all.start, end: view.end ?? all.end };
    const next = { ...now, ...change(now) };
    const symbols = between(Math.round(next.symbols), 1, all.symbols);
    const days = between(Math.round(next.end - next.start), 1, all.end - all.start);
    const first = between(Math.round(next.first), 0, all.symbols - symbols);
    const start = between(Math.round(next.start), all.start, all.end - days);
    const isAll = symbols === all.symbols;
    const isAlways = days === all.end - all.start;
    view = {
      ...view, symbol: null, first: isAll ? null : first, symbols: isAll ? null : symbols,
      start: isAlways ? null : start, end: isAlways ? null : start + days,
    };
    history.replaceState(null, "", `?${addressOf(view)}`);
    load();
  }

  // Closer (below 1) or further, around a symbol and a day, or the middle; each step is one of either at least.
  function zoom(factor, at, { symbols = true, days = true } = {}) {
    const around = (first, count, at) => {
      const scaled = factor < 1 ? Math.min(count - 1, Math.floor(count * factor)) : Math.max(count + 1, Math.ceil(count * factor));
      const next = Math.max(1, scaled);
      const share = at === undefined ? 0.5 : between((at + 0.5 - first) / count, 0, 1);
      const from = Math.round(first + (count - next) * share);
      return [at === undefined ? from : between(from, at - next + 1, at), next];
    };
    go((now) => {
      const change = {};
      if (symbols) [change.first, change.symbols] = around(now.first, now.symbols, at?.symbol);
      if (days) {
        const [start, count] = around(now.start, now.end - now.start, at?.day);
        Object.assign(change, { start, end: start + count });
      }
      return change;
    });
  }

  function pan(symbols, days) {
    go((now) => {
      const step = Math.max(1, Math.round((now.end - now.start) * Math.abs(days))) * Math.sign(days);
      return {
        first: now.first + Math.max(1, Math.round(now.symbols * Math.abs(symbols))) * Math.sign(symbols),
        start: now.start + step, end: now.end + step,
      };
    });
  }

  const everything = () => go(() => ({ first: 0, symbols: Infinity, start: -1e6, end: 1e6 }));
  const middleOf = (cell) => ({
    symbol: cell.firstSymbol + Math.floor((cell.symbols - 1) / 2), day: cell.from + Math.floor((cell.to - 1 - cell.from) / 2),
  });

  // A cell that stands for several becomes the window.
  function enter(cell) {
    if (cell.symbols === 1 && cell.to - cell.from === 1) { told = ""; later(cell); return; }
    go(() => ({ first: cell.firstSymbol, symbols: cell.symbols, start: cell.from, end: cell.to }));
  }

  const BUTTONS = {
    in: () => zoom(0.5, marked() ? mark : null), out: () => zoom(2, marked() ? mark : null), all: everything,
    left: () => pan(0, -0.5), right: () => pan(0, 0.5), up: () => pan(-0.5, 0), down: () => pan(0.5, 0),
  };
  document.getElementById("map-controls").addEventListener("click", (event) => {
    const button = event.target.closest("button[data-map]");
    if (button) BUTTONS[button.dataset.map]();
  });

  const at = (event) => cellAt(event.offsetX, event.offsetY);
  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !shown) return;
    drag = { x: event.offsetX, y: event.offsetY, first: shown.first_symbol, from: shown.from, to: shown.to, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drag) { showTip(at(event)); return; }
    const [x, y] = [event.offsetX - drag.x, event.offsetY - drag.y];
    if (!drag.moved && Math.hypot(x, y) < 4) return;
    drag.moved = true;
    canvas.classList.add("dragging");
    showTip(null);
    const days = Math.round((-x / place.columnWidth) * shown.days_per_column);
    const symbols = Math.round((-y / place.rowHeight) * shown.symbols_per_row);
    go(() => ({ first: drag.first + symbols, start: drag.from + days, end: drag.to + days }));
  });
  canvas.addEventListener("pointerup", (event) => {
    if (drag && !drag.moved) {
      const cell = at(event);
      mark = cell && middleOf(cell);
      draw();
    }
    drag = null;
    canvas.classList.remove("dragging");
  });
  canvas.addEventListener("pointercancel", () => { drag = null; canvas.classList.remove("dragging"); });
  canvas.addEventListener("pointerleave", () => { if (!drag) showTip(null); });
  canvas.addEventListener("dblclick", (event) => { const cell = at(event); if (cell) enter(cell); });
  canvas.addEventListener("wheel", (event) => {
    // Who reads the page turns the wheel to read on.
    if (document.activeElement !== canvas && !event.ctrlKey) return;
    const cell = at(event);
    const turned = event.deltaY || event.deltaX;
    if (!cell || !turned) return;
    event.preventDefault();
    zoom(turned > 0 ? 1.3 : 1 / 1.3, middleOf(cell), { symbols: !event.altKey, days: !event.shiftKey });
  }, { passive: false });

  // One cell further; beyond the edge the window moves along.
  function moveMark(rows, columns) {
    const now = marked();
    const whole = shown.whole;
    if (now) {
      mark = {
        symbol: between(mark.symbol + rows * shown.symbols_per_row, 0, whole.symbols - 1),
        day: between(mark.day + columns * shown.days_per_column, dayOf(whole.start), dayOf(whole.end) - 1),
      };
    } else {
      mark = { symbol: shown.first_symbol, day: shown.from };
    }
    const then = marked();
    draw();
    showTip(then);
    if (then) say(describe(then));
    else pan(rows * 0.25, columns * 0.25);
  }

  const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  canvas.addEventListener("keydown", (event) => {
    if (!shown || !shown.rows.length || event.ctrlKey || event.metaKey || event.altKey) return;
    if (MOVES[event.key]) moveMark(...MOVES[event.key]);
    else if (event.key === "+" || event.key === "=") zoom(0.5, mark);
    else if (event.key === "-") zoom(2, mark);
    else if (event.key === "Enter" && marked()) enter(marked());
    else if (event.key === "0") everything();
    else if (event.key === "Escape") { mark = null; showTip(null); draw(); }
    else return;
    event.preventDefault();
  });
  canvas.addEventListener("blur", () => showTip(null));

  // ── choosing ──

  wantedSymbol.addEventListener("change", () => {
    const symbol = wantedSymbol.value.trim();
    if (!symbol) { everything(); return; }
    view = { ...view, symbol, first: null, symbols: null };
    load();
  });
  which.addEventListener("change", () => {
    const choice = choices[Number(which.value)];
    if (!choice) return;
    view = { map: mapOf(choice), symbol: null, first: null, symbols: null, start: null, end: null };
    mark = null;
    history.replaceState(null, "", `?${addressOf(view)}`);
    load();
  });

  const mapOf = (choice) => Object.fromEntries(NAMES.filter((name) => choice[name] !== null).map((name) => [name, String(choice[name])]));

  function isChosen(choice) {
    return NAMES.every((name) => (view.map[name] ?? null) === (choice[name] === null ? null : String(choice[name])));
  }

  let listed = "";
  async function choose() {
    try {
      const { status, text } = await fetchText("/api/coverage/maps");
      if (status === 200 && text !== listed) list(text);
      if (status === 200) {
        if (choices.length === 0) { failures = 0; say("Nothing was asked for yet."); }
        else load();
      } else if (status >= 500) fail(status, JSON.parse(text));
    } catch { /* the page says that nobody answers */ }
    setTimeout(choose, (document.hidden ? 5 : 1) * EVERY * 2 ** Math.min(failures, 5));
  }

  function list(text) {
    listed = text;
    choices = JSON.parse(text).maps;
    // Without a map of one's own it is the first.
    if (choices.length && !choices.some(isChosen) && Object.keys(view.map).length === 0) view.map = mapOf(choices[0]);
    which.replaceChildren(...choices.map((choice, index) => {
      const of = choice.job === null ? "all jobs" : `job ${choice.job}, ${choice.job_name}`;
      const option = new Option(`${choice.dataset} ${choice.schema}, ${choice.stype_in}: ${of}`, index);
      option.selected = isChosen(choice);
      return option;
    }));
    if (!choices.some(isChosen)) which.selectedIndex = -1;
  }

  function redraw() {
    patterns = {};
    inks = {};
    colours = {};
    draw();
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  new ResizeObserver(() => { if (shown && canvas.width !== Math.round(canvas.clientWidth * (devicePixelRatio || 1))) { redraw(); load(); } }).observe(canvas);
  choose();
})();
