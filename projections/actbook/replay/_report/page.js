"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { events, nodes, labels } = data;
  const byId = (id) => document.getElementById(id);
  const ORDER = ["RUNNING", "REVIEW", "QUEUED", "FAILED", "TERMINATED", "COMPLETED", "INCOMPLETE"];
  const ROW = 30;

  // Everything recorded is put on the page as text, never as markup.
  const make = (tag, name, text) => {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (text !== undefined && text !== null) made.textContent = text;
    return made;
  };
  const show = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));
  const span = (us) => {
    if (us === null || us === undefined) return "";
    const ms = us / 1000;
    if (ms < 1) return `${Math.round(us)} µs`;
    if (ms < 1000) return `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
    const s = ms / 1000;
    if (s < 60) return `${s.toFixed(2)} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
    if (s < 172800) return `${Math.floor(s / 3600)} h ${Math.round((s % 3600) / 60)} min`;
    return `${(s / 86400).toFixed(1)} d`;
  };
  const execution = new Map(nodes.map((node) => [node[0], node]));
  const nameOf = (number) => {
    const node = execution.get(number);
    return node && node[1] >= 0 ? labels[node[1]] : `node execution ${number}`;
  };
  const whoOf = (event) => {
    const [first, ...rest] = event[4];
    return first === undefined ? "" : nameOf(first) + (rest.length ? ` and ${rest.length} more` : "");
  };

  // -- statuses at any event: each move remembers what it replaced, so the slider goes both ways ---------------------
  const groups = new Map();
  for (const group of document.querySelectorAll(".node")) groups.set(Number(group.dataset.node), group);
  const counts = labels.map(() => ({}));
  const statuses = new Map();
  const dirty = new Set();
  for (const event of events) {
    for (const move of event[5]) {
      move.push(statuses.get(move[0]) || null);
      statuses.set(move[0], move[1]);
    }
  }
  statuses.clear();
  let at = 0;
  const set = (number, status) => {
    const node = execution.get(number);
    const place = node ? node[1] : -1;
    if (place >= 0) {
      const before = statuses.get(number);
      if (before) counts[place][before] -= 1;
      if (status) counts[place][status] = (counts[place][status] || 0) + 1;
      dirty.add(place);
    }
    if (status) statuses.set(number, status);
    else statuses.delete(number);
  };
  const travel = (target) => {
    for (; at < target; at += 1) for (const [number, status] of events[at][5]) set(number, status);
    for (; at > target; at -= 1) {
      const moves = events[at - 1][5];
      for (let i = moves.length - 1; i >= 0; i -= 1) set(moves[i][0], moves[i][2]);
    }
  };
  const paint = () => {
    for (const place of dirty) {
      const group = groups.get(place);
      if (!group) continue;
      const found = ORDER.filter((status) => counts[place][status] > 0);
      const total = found.reduce((sum, status) => sum + counts[place][status], 0);
      const more = group.querySelector(".more");
      if (found.length) {
        group.dataset.status = found[0];
        more.textContent = found[0].toLowerCase() + (total > 1 ? ` · ${total}×` : "");
      } else {
        delete group.dataset.status;
        more.textContent = "";
      }
    }
    dirty.clear();
    const sums = {};
    for (const [number, status] of statuses) if (number) sums[status] = (sums[status] || 0) + 1;
    byId("legend").replaceChildren(
      ...ORDER.filter((status) => sums[status]).map((status) => {
        const item = make("li", "", `${sums[status]} ${status.toLowerCase()}`);
        item.dataset.status = status;
        return item;
      }),
    );
  };

  // -- lists that only hold the rows that can be seen ----------------------------------------------------------------
  const list = (box, fill) => {
    const space = make("div");
    let count = 0;
    let all = false;
    box.append(space);
    const draw = () => {
      const first = all ? 0 : Math.max(0, Math.floor(box.scrollTop / ROW) - 6);
      const last = all ? Math.min(count, 1000) : Math.min(count, first + Math.ceil(box.clientHeight / ROW) + 14);
      const rows = [space];
      for (let index = first; index < last; index += 1) {
        const row = make("div", "row");
        row.style.top = `${index * ROW}px`;
        row.dataset.index = index;
        row.setAttribute("role", "option");
        row.setAttribute("aria-setsize", count);
        row.setAttribute("aria-posinset", index + 1);
        fill(row, index);
        row.setAttribute("aria-selected", row.classList.contains("at"));
        rows.push(row);
      }
      box.replaceChildren(...rows);
    };
    const resize = (size) => {
      count = size;
      space.style.height = `${size * ROW}px`;
      box.style.height = `${Math.min(11.4, Math.max(size, 1)) * ROW}px`;
      draw();
    };
    let waiting = false;
    box.addEventListener("scroll", () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        draw();
      });
    }, { passive: true });
    addEventListener("beforeprint", () => {
      all = true;
      box.style.height = `${Math.min(count, 1000) * ROW}px`;
      draw();
    });
    addEventListener("afterprint", () => {
      all = false;
      resize(count);
    });
    const reveal = (index) => {
      const top = index * ROW;
      if (top < box.scrollTop) box.scrollTop = top;
      else if (top + ROW > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW - box.clientHeight;
    };
    return { draw, resize, reveal };
  };

  // -- events ----------------------------------------------------------------------------------------------------------
  let matching = events.map((_, index) => index);
  const summary = (event) => {
    const moves = event[5].map(([number, status]) => (number ? `${nameOf(number)} ${status}` : `execution ${status}`));
    if (moves.length) return moves.slice(0, 3).join(", ") + (moves.length > 3 ? ` and ${moves.length - 3} more` : "");
    return event[6].length ? event[6].slice(0, 2).map((change) => change[0]).join(", ") : "";
  };
  const eventList = list(byId("events"), (row, index) => {
    const event = events[matching[index]];
    row.append(
      make("span", "num", event[0]), make("span", "when", `+${span(event[2])}`), make("span", "topic", event[3]),
      make("span", "who", whoOf(event)), make("span", "sum", summary(event)),
    );
    if (matching[index] === at - 1) row.classList.add("at");
    else if (matching[index] >= at) row.classList.add("later");
  });
  let texts = null;
  byId("search").addEventListener("input", (input) => {
    const wanted = input.target.value.trim().toLowerCase();
    texts ||= events.map((event) => `${event[3]} ${whoOf(event)} ${JSON.stringify(event[7])}`.toLowerCase());
    matching = [];
    events.forEach((_, index) => {
      if (texts[index].includes(wanted)) matching.push(index);
    });
    byId("events").scrollTop = 0;
    tellFound();
    eventList.resize(matching.length);
  });
  const tellFound = () => {
    const all = matching.length === events.length;
    byId("found").textContent = all ? `${events.length} events` : `${matching.length} of ${events.length}`;
  };

  // -- timeline ----------------------------------------------------------------------------------------------------------
  const whole = Math.max(data.end, 1);
  const percent = (us) => `${(100 * us) / whole}%`;
  const stateAt = (node) => statuses.get(node[0]) || "";
  const timeline = list(byId("timeline"), (row, index) => {
    const node = nodes[index];
    const [number, , status, queued, started, ended] = node;
    const lane = make("span", "lane");
    const bar = (name, from, to) => {
      if (from === null) return;
      const made = make("i", name);
      made.style.left = percent(from);
      made.style.width = percent(Math.max(0, to - from));
      lane.append(made);
    };
    bar("wait", queued, started ?? ended ?? whole);
    bar("run", started, ended ?? whole);
    const cursor = make("i", "cursor");
    cursor.style.left = percent(at ? events[at - 1][2] : 0);
    lane.append(cursor);
    const wait = queued !== null && started !== null ? started - queued : null;
    const run = started !== null && ended !== null ? ended - started : null;
    row.dataset.status = status;
    row.title = `${nameOf(number)}: ${status}` + (wait === null ? "" : `, waited ${span(wait)}`) +
      (run === null ? "" : `, ran ${span(run)}`) + (node[6] > 1 ? `, attempt ${node[6]}` : "");
    row.append(make("span", "num", number), make("span", "who", nameOf(number)), lane, make("span", "took", run === null ? status.toLowerCase() : span(run)));
    if (number === chosen) row.classList.add("at");
    else if (!stateAt(node)) row.classList.add("later");
  });
  const drawAxis = () => {
    const lane = document.querySelector("#timeline .lane");
    if (!lane) return;
    const axis = byId("axis");
    axis.style.marginLeft = `${lane.offsetLeft}px`;
    axis.style.width = `${lane.clientWidth}px`;
    axis.replaceChildren(...[0, 0.25, 0.5, 0.75, 1].map((part) => {
      const tick = make("span", "", span(part * data.end));
      tick.style.left = `${part * 100}%`;
      return tick;
    }));
  };

  // -- what is told of the event at the slider ----------------------------------------------------------------------------
  let chosen = 0;
  let tab = "changes";
  const changes = (event) => event[6].map(([path, before, after]) => {
    const change = make("div", "change");
    change.append(make("b", "", path));
    if (before !== "<absent>") change.append(make("span", "v old", show(before)));
    if (after !== "<absent>") change.append(make("span", "v new", show(after)));
    return change;
  });
  const facts = (pairs) => pairs.filter(([, value]) => value !== "" && value !== null && value !== undefined).map(([name, value]) => {
    const change = make("div", "change");
    change.append(make("b", "", name), make("span", "v", show(value)));
    return change;
  });
  const aboutNode = () => {
    const node = execution.get(chosen);
    if (!node) return [make("p", "empty", "Choose a node in the graph, or a row of the timeline.")];
    const [number, , , queued, started, ended, attempt, cost, error, skipped] = node;
    return facts([
      ["node", nameOf(number)], ["node execution", number], ["status here", stateAt(node) || "not there yet"],
      ["queued", queued === null ? "" : `+${span(queued)}`], ["started", started === null ? "" : `+${span(started)}`],
      ["ended", ended === null ? "" : `+${span(ended)}`], ["attempts", attempt || ""], ["cost", cost || ""], ["error", error],
      ["skipped", skipped ? "yes" : ""],
    ]);
  };
  const tell = () => {
    const event = events[at - 1];
    byId("at-version").textContent = event ? event[0] : 0;
    byId("at-count").textContent = `of ${events.length}`;
    byId("at-topic").textContent = event ? event[3] : "before the first event";
    byId("at-time").textContent = event ? `${whoOf(event)} ${event[8] ? `· because of ${Number.isInteger(event[8]) ? `event ${event[8]}` : event[8]}` : ""}` : "";
    byId("clock").textContent = event ? `+${span(event[2])} of ${span(data.end)}` : "";
    let told = [];
    if (tab === "node") told = aboutNode();
    else if (event) told = tab === "changes" ? changes(event) : facts(Object.entries(event[7]).concat([["position in the store", event[1]]]));
    byId("detail").replaceChildren(...(told.length ? told : [make("p", "empty", "Nothing that this page shows.")]));
  };
  const choose = (name) => {
    tab = name;
    for (const each of ["changes", "payload", "node"]) byId(`tab-${each}`).setAttribute("aria-selected", each === name);
    tell();
  };
  for (const each of ["changes", "payload", "node"]) byId(`tab-${each}`).addEventListener("click", () => choose(each));

  // -- moving ------------------------------------------------------------------------------------------------------------
  const slider = byId("slider");
  const go = (target, { reveal = true } = {}) => {
    const to = Math.min(events.length, Math.max(0, target));
    travel(to);
    slider.value = to;
    const event = events[to - 1];
    slider.setAttribute("aria-valuetext", event ? `event ${event[0]}, ${event[3]} ${whoOf(event)}` : "before the first event");
    paint();
    tell();
    if (reveal && matching.length === events.length && to) eventList.reveal(to - 1);
    eventList.draw();
    timeline.draw();
  };
  let playing = 0;
  const stop = () => {
    clearInterval(playing);
    playing = 0;
    byId("play").textContent = "▶";
    byId("play").setAttribute("aria-label", "Play");
  };
  byId("play").addEventListener("click", () => {
    if (playing) return stop();
    if (at === events.length) go(0);
    const step = Math.max(1, Math.round(events.length / 400));
    byId("play").textContent = "❚❚";
    byId("play").setAttribute("aria-label", "Pause");
    playing = setInterval(() => {
      go(at + step);
      if (at === events.length) stop();
    }, events.length > 200 ? 40 : 120);
    return undefined;
  });
  let asked = 0;
  slider.addEventListener("input", () => {
    stop();
    if (!asked) asked = requestAnimationFrame(() => {
      asked = 0;
      go(Number(slider.value));
    });
  });
  byId("back").addEventListener("click", () => go(at - 1));
  byId("next").addEventListener("click", () => go(at + 1));
  byId("events").addEventListener("click", (click) => {
    const row = click.target.closest(".row");
    if (row) go(matching[Number(row.dataset.index)] + 1, { reveal: false });
  });
  byId("events").addEventListener("keydown", (key) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -events.length, End: events.length }[key.key];
    if (!step) return;
    key.preventDefault();
    go(Math.max(1, at + step));
  });
  const pick = (number) => {
    chosen = number;
    for (const group of document.querySelectorAll(".node.chosen")) group.classList.remove("chosen");
    const node = execution.get(number);
    if (node && groups.has(node[1])) groups.get(node[1]).classList.add("chosen");
    choose("node");
    timeline.draw();
  };
  byId("timeline").addEventListener("click", (click) => {
    const row = click.target.closest(".row");
    if (row) pick(nodes[Number(row.dataset.index)][0]);
  });
  byId("timeline").addEventListener("keydown", (key) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[key.key];
    if (!step || !nodes.length) return;
    key.preventDefault();
    const now = nodes.findIndex((node) => node[0] === chosen);
    const next = Math.min(nodes.length - 1, Math.max(0, now + step));
    timeline.reveal(next);
    pick(nodes[next][0]);
  });

  // -- looking around in the graph -------------------------------------------------------------------------------------
  const canvas = byId("canvas");
  const picture = canvas.querySelector("svg");
  const size = { width: picture.viewBox.baseVal.width, height: picture.viewBox.baseVal.height };
  const view = { x: 0, y: 0, scale: 1 };
  const place = () => {
    picture.style.transform = `translate(${view.x}px,${view.y}px) scale(${view.scale})`;
    canvas.classList.toggle("far", view.scale < 0.3);
  };
  const zoom = (factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) => {
    const scale = Math.min(3, Math.max(0.02, view.scale * factor));
    view.x = x - ((x - view.x) * scale) / view.scale;
    view.y = y - ((y - view.y) * scale) / view.scale;
    view.scale = scale;
    place();
  };
  const fit = () => {
    const width = canvas.clientWidth;
    const height = canvas.clientHeight - 40; // the legend stands below
    view.scale = Math.min(1.4, width / size.width, height / size.height);
    view.x = (width - size.width * view.scale) / 2;
    view.y = Math.max(0, (height - size.height * view.scale) / 2);
    place();
  };
  canvas.addEventListener("wheel", (wheel) => {
    wheel.preventDefault();
    const box = canvas.getBoundingClientRect();
    zoom(Math.exp(-wheel.deltaY / 500), wheel.clientX - box.left, wheel.clientY - box.top);
  }, { passive: false });
  let held = null;
  let dragged = false;
  canvas.addEventListener("pointerdown", (down) => {
    held = { x: down.clientX - view.x, y: down.clientY - view.y, from: [down.clientX, down.clientY] };
    dragged = false;
  });
  addEventListener("pointermove", (move) => {
    if (!held) return;
    if (Math.hypot(move.clientX - held.from[0], move.clientY - held.from[1]) > 4) dragged = true;
    view.x = move.clientX - held.x;
    view.y = move.clientY - held.y;
    place();
  });
  addEventListener("pointerup", () => {
    held = null;
  });
  canvas.addEventListener("click", (click) => {
    const group = click.target.closest(".node");
    if (!group || dragged) return;
    const here = nodes.filter((node) => node[1] === Number(group.dataset.node));
    const shown = here.filter((node) => stateAt(node));
    const node = shown[shown.length - 1] || here[0];
    if (node) pick(node[0]);
  });
  canvas.addEventListener("keydown", (key) => {
    const move = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] }[key.key];
    if (move) {
      view.x += move[0];
      view.y += move[1];
      place();
    } else if (key.key === "+" || key.key === "-") zoom(key.key === "+" ? 1.25 : 0.8);
    else return;
    key.preventDefault();
  });
  byId("in").addEventListener("click", () => zoom(1.25));
  byId("out").addEventListener("click", () => zoom(0.8));
  byId("fit").addEventListener("click", fit);
  addEventListener("resize", () => {
    fit();
    eventList.draw();
    timeline.draw();
    drawAxis();
  });

  // -- the rest ----------------------------------------------------------------------------------------------------------
  const values = (id, value) => {
    const box = byId(id);
    if (value && Object.keys(value).length) box.textContent = JSON.stringify(value, null, 2);
    else box.append(make("span", "empty", "none"));
  };
  values("inputs", data.inputs);
  values("outputs", data.outputs);
  const table = byId("costs");
  const line = (cells, tag) => {
    const row = make("tr");
    for (const cell of cells) row.append(make(tag, "", cell));
    return row;
  };
  const sum = (index) => data.costs.reduce((total, row) => total + row[index], 0);
  const credits = (value) => (value ? Number(value.toFixed(6)).toString() : "–");
  const head = make("thead");
  head.append(line(["Node", "Runs", "Time", "Credits"], "th"));
  const body = make("tbody");
  for (const [name, count, wall, cost] of data.costs) body.append(line([name, count, span(wall * 1e6), credits(cost)], "td"));
  if (data.costs.length > 1) body.append(line(["All", sum(1), span(sum(2) * 1e6), credits(sum(3))], "th"));
  table.append(head, body);
  const checked = byId("checked");
  if (data.checked.faults.length) for (const fault of data.checked.faults) checked.append(make("p", "", `✗ ${fault}`));
  else checked.append(make("p", "", `✓ ${data.checked.events} events: the hash chain is whole, the versions follow each other, every change of status is legal.`));
  const hash = make("p", "empty");
  hash.append("Hash of the last event: ", make("code", "", data.checked.hash));
  checked.append(hash, make("p", "empty", "Compare it with the store, or with a checkpoint kept elsewhere: a page can be edited, too."));

  fit();
  slider.max = events.length;
  byId("axis-note").textContent = `${nodes.length} node executions; hatched: waiting, solid: running`;
  tellFound();
  travel(events.length);
  eventList.resize(matching.length);
  timeline.resize(nodes.length);
  go(events.length);
  drawAxis();
  document.documentElement.dataset.ready = "true";
})();
