// SPDX-License-Identifier: Apache-2.0
//
// Draws a profile: `data` is what profile.cpp writes as JSON.
'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const byId = (id) => document.getElementById(id);
const number = (n) => Math.round(n).toLocaleString('en-US');
const percent = (part, whole) =>
  (whole ? (100 * part / whole).toFixed(1) : '0.0') + ' %';
const escapeText = (text) => String(text).replace(/[&<>"]/g,
  (c) => ({'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'}[c]));

/// Rows of [cells, attributes]; a cell is text, or {html} or {text, left}.
function table(id, head, rows) {
  const cell = (tag, c) => {
    if (c !== null && typeof c === 'object') {
      return `<${tag} class="${c.left ? 'text' : ''}">` +
        (c.html !== undefined ? c.html : escapeText(c.left)) + `</${tag}>`;
    }
    return `<${tag}>${escapeText(c)}</${tag}>`;
  };
  byId(id).innerHTML =
    '<thead><tr>' + head.map((h) => cell('th', h)).join('') + '</tr></thead>' +
    '<tbody>' + rows.map(([cells, attributes]) => `<tr ${attributes || ''}>` +
      cells.map((c) => cell('td', c)).join('') + '</tr>').join('') + '</tbody>';
}

let launch = null;    // the one shown
let view = [0, 1];    // cycles of the timeline
let slices = [];      // of the core shown: per pipe {begin, length, ...} arrays

function showLayers() {
  byId('layers-section').style.display = data.layers.length > 1 ? '' : 'none';
  const total = data.layers.reduce((sum, l) => sum + l.cycles, 0);
  table('layers', ['layer', {left: 'operator'}, {left: 'program'}, 'cycles',
    'share', 'cube', {left: 'bound'}],
  data.layers.map((l, i) => [[l.title, {left: l.op}, {left: l.program},
    l.cycles ? number(l.cycles) : '', l.cycles ? percent(l.cycles, total) : '',
    l.cycles ? percent(l.macs, l.peak * l.kernel_cycles * l.cores) : '',
    {left: l.bound || ''}],
  l.launch === null ? '' : `class="pick" data-layer="${i}"`]));
  byId('layers').onclick = (event) => {
    const row = event.target.closest('tr.pick');
    if (row) {
      show(Number(row.dataset.layer));
    }
  };
}

function showExplanation() {
  const e = launch.explain;
  byId('launch-title').textContent = launch.title;
  byId('explain').innerHTML =
    `<div>${number(launch.cycles)} cycles, ${number(launch.kernel_cycles)} in ` +
    `the kernel. Bound: <b>${e.bound.pipe}</b>, busy ` +
    `${(100 * e.bound.share).toFixed(1)} % of the kernel; next: ` +
    `<b>${e.next.pipe}</b>, ${(100 * e.next.share).toFixed(1)} %. ` +
    `${e.bound.pipe} is not overlapped for ${number(e.lost)} cycles.</div>` +
    '<ul>' + e.causes.map((c) => `<li>${percent(c.cycles,
      launch.kernel_cycles * launch.cores)}: ${escapeText(c.text)}</li>`)
      .join('') + '</ul>' +
    (e.hints.length ? '<h2 style="margin-top:10px">What would help</h2><ul>' +
      e.hints.map((h) => `<li>about &minus;${(100 * h.share).toFixed(0)} % ` +
        `cycles: <code>${escapeText(h.where)}</code>: ${escapeText(h.text)}</li>`)
        .join('') + '</ul>' : '');
}

function showUse() {
  const all = launch.kernel_cycles * launch.cores;
  table('use', ['pipe', 'busy cycles', 'in banks', 'of the kernel',
    {html: ''}],
    launch.pipes.map((p) => [[p.name, number(p.busy),
      p.bank_cycles ? number(p.bank_cycles) : '', percent(p.busy, all),
      {html: '<span class="track"><span class="bar" style="width:' +
        (all ? Math.min(100, 100 * p.busy / all) : 0).toFixed(2) +
        '%"></span></span>'}]]));
}

function showStalls() {
  const reasons = data.stalls;
  const column = (p) => [p.busy, ...reasons.map((r) => p.stalls[r]), p.idle];
  const names = ['busy', ...reasons, 'idle'];
  table('stalls', ['cycles', ...launch.pipes.map((p) => p.name)],
    names.map((n, i) => [[n, ...launch.pipes.map((p) => {
      const c = column(p)[i];
      return c ? number(c) : '';
    })]]).concat([[['sum', ...launch.pipes.map((p) =>
      number(column(p).reduce((a, b) => a + b, 0)))], 'class="sum"']]));
}

function showBytes() {
  table('bytes', ['pipe', {left: 'path'}, 'bytes', 'per kernel cycle'],
    launch.paths.map((p) => [[p.pipe,
      {left: (p.write ? 'writes ' : 'reads ') + p.space}, number(p.bytes),
      (p.bytes / launch.kernel_cycles).toFixed(1)]]));
}

function showMemory() {
  const m = launch.memory;
  const share = (hits, all) => all ? percent(hits, all) : '';
  const reads = m.l2_read_hits + m.l2_read_misses + m.l2_reads_merged;
  const writes = m.l2_write_hits + m.l2_write_misses;
  // A request whose row must be opened is a miss, whether or not another row
  // had to be closed for it.
  const rows = m.dram_row_hits + m.dram_row_misses;
  const of = {l2_read_hits: reads, l2_reads_merged: reads,
    l2_write_hits: writes, dram_row_hits: rows, dram_row_conflicts: rows};
  table('memory', ['counter', 'count', 'share'],
    Object.entries(m).map(([name, n]) => [[name.replaceAll('_', ' '),
      number(n), share(n, of[name])]]));
}

function showEnergy() {
  const rows = launch.energy.filter((r) => r.count);
  const total = rows.reduce((sum, r) => sum + r.count * r.fj / 1e3, 0);
  byId('energy-note').textContent = rows.length ?
    'Figures per event from the machine file: P published, D derived, ' +
    'C chosen. For ratios only.' : 'The machine file holds no energy figures.';
  table('energy', ['event', 'count', 'pJ each', 'nJ', 'share',
    {left: 'source'}],
  rows.map((r) => [[r.event, number(r.count), (r.fj / 1e3).toString(),
    (r.count * r.fj / 1e6).toFixed(1), percent(r.count * r.fj / 1e3, total),
    {left: r.source}]]).concat(rows.length ? [[['sum', '', '',
    (total / 1e3).toFixed(1), '', {left: ''}], 'class="sum"']] : []));
}

function showLines() {
  const all = launch.kernel_cycles * launch.cores;
  table('lines', ['line', {left: 'source'}, 'cycles', 'share', 'working',
    'waited for', ...launch.pipes.map((p) => p.name)],
  launch.lines.map((l) => [[l.place, {html: `<code>${escapeText(l.source)}` +
    '</code>', left: true}, number(l.busy + l.waited),
  percent(l.busy + l.waited, all), number(l.busy), number(l.waited),
  ...l.pipes.map((c) => c ? number(c) : '')]]));
}

/// Log-log: attainable MACs per cycle over MACs per byte of global memory.
function showRoofline() {
  const r = launch.roofline;
  const svg = [];
  const left = 56, right = 505, top = 14, bottom = 258;
  const points = data.layers.filter((l) => l.macs > 0 && l.gm_bytes > 0)
    .map((l) => ({title: l.title, x: l.macs / l.gm_bytes,
      y: l.macs / l.kernel_cycles / l.cores,
      shown: l.launch !== null && data.launches[l.launch] === launch}));
  const ridge = r.peak / r.bytes_per_cycle;
  const lowX = Math.min(ridge / 64, ...points.map((p) => p.x / 2));
  const highX = Math.max(ridge * 64, ...points.map((p) => p.x * 2));
  const lowY = Math.min(r.peak / 4096, ...points.map((p) => p.y / 2));
  const highY = r.peak * 2;
  const x = (v) => left + (right - left) *
    Math.log(v / lowX) / Math.log(highX / lowX);
  const y = (v) => bottom - (bottom - top) *
    Math.log(v / lowY) / Math.log(highY / lowY);
  const startX = Math.max(lowX, lowY / r.bytes_per_cycle);
  for (let e = Math.ceil(Math.log10(lowX)); e <= Math.log10(highX); ++e) {
    svg.push(`<line x1="${x(10 ** e)}" x2="${x(10 ** e)}" y1="${top}" ` +
      `y2="${bottom}" stroke="#eef1f5"/><text x="${x(10 ** e)}" y="272" ` +
      `text-anchor="middle">${10 ** e}</text>`);
  }
  for (let e = Math.ceil(Math.log10(lowY)); e <= Math.log10(highY); ++e) {
    svg.push(`<line x1="${left}" x2="${right}" y1="${y(10 ** e)}" ` +
      `y2="${y(10 ** e)}" stroke="#eef1f5"/><text x="${left - 6}" ` +
      `y="${y(10 ** e) + 4}" text-anchor="end">${10 ** e}</text>`);
  }
  svg.push(`<polyline fill="none" stroke="#1c2330" stroke-width="2" points="` +
    `${x(startX)},${y(startX * r.bytes_per_cycle)} ${x(ridge)},${y(r.peak)} ` +
    `${x(highX)},${y(r.peak)}"/>`);
  svg.push(`<text x="${x(highX) - 4}" y="${y(r.peak) - 6}" ` +
    `text-anchor="end">${number(r.peak)} MAC per cycle (${r.precision})</text>`);
  for (const p of points) {
    svg.push(`<circle cx="${x(p.x)}" cy="${y(p.y)}" r="${p.shown ? 6 : 4}" ` +
      `fill="${p.shown ? '#d9480f' : '#2f6fdb'}" fill-opacity="0.8">` +
      `<title>${escapeText(p.title)}: ${p.y.toFixed(1)} MAC per cycle</title>` +
      '</circle>');
  }
  svg.push(`<text x="${(left + right) / 2}" y="292" text-anchor="middle">` +
    'MACs per byte of global memory (slope: ' + r.bytes_per_cycle +
    ' bytes per cycle)</text>');
  if (!points.length) {
    svg.push(`<text x="${(left + right) / 2}" y="140" text-anchor="middle">` +
      'no multiply-accumulates in this profile</text>');
  }
  byId('roofline').innerHTML =
    `<g font-size="11" fill="#667085">${svg.join('')}</g>`;
}

// Timeline ------------------------------------------------------------------

const kRow = 30, kLeft = 56;
const kColours = ['#2f6fdb', '#111827', '#f6d77a', '#f2b8a0'];

function loadCore(core) {
  slices = launch.timeline[core].map((flat) => {
    const list = [];
    let begin = 0;
    for (let i = 0; i < flat.length; i += 5) {
      begin += flat[i];
      list.push({begin, end: begin + flat[i + 1], name: flat[i + 2],
        kind: flat[i + 3], line: flat[i + 4]});
    }
    return list;
  });
}

/// Index of the first slice of `list` that ends after `cycle`. Slices are
/// sorted by begin; a command may hold a few flags, so look back a little.
function firstAfter(list, cycle) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle].begin <= cycle) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  let first = low;
  for (let i = low - 1; i >= 0 && low - i < 256; --i) {
    if (list[i].end > cycle) {
      first = i;
    }
  }
  return first;
}

function drawTimeline() {
  const canvas = byId('timeline');
  const scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth || 1100, height = 7 * kRow + 20;
  canvas.width = width * scale;
  canvas.height = height * scale;
  canvas.style.height = height + 'px';
  const g = canvas.getContext('2d');
  g.scale(scale, scale);
  g.fillStyle = '#ffffff';
  g.fillRect(0, 0, width, height);
  g.font = '11px system-ui, "DejaVu Sans", sans-serif';
  const perCycle = (width - kLeft) / (view[1] - view[0]);
  const x = (cycle) => kLeft + (cycle - view[0]) * perCycle;
  launch.pipes.forEach((pipe, p) => {
    const y = p * kRow;
    g.fillStyle = '#667085';
    g.fillText(pipe.name, 6, y + 19);
    g.fillStyle = '#f4f6f9';
    g.fillRect(kLeft, y + 3, width - kLeft, kRow - 6);
    const list = slices[p] || [];
    const drawn = [-1, -1, -1, -1]; // last pixel painted, by kind
    for (let i = firstAfter(list, view[0]); i < list.length; ++i) {
      const s = list[i];
      if (s.begin >= view[1]) {
        break;
      }
      const from = Math.max(x(s.begin), kLeft);
      const to = Math.min(x(s.end), width);
      if (to <= drawn[s.kind]) {
        continue; // less than a pixel, and that one is painted
      }
      drawn[s.kind] = Math.ceil(to);
      g.fillStyle = kColours[s.kind];
      const stall = s.kind >= 2;
      g.fillRect(from, y + (stall ? 11 : 3), Math.max(to - from, 0.7),
        kRow - (stall ? 22 : 6));
      if (to - from > 34 && s.kind === 0) {
        g.fillStyle = '#ffffff';
        g.fillText(launch.names[s.name].slice(0, (to - from) / 7), from + 3,
          y + 19);
      }
    }
  });
  g.fillStyle = '#667085';
  for (let i = 0; i <= 4; ++i) {
    const cycle = view[0] + (view[1] - view[0]) * i / 4;
    g.textAlign = i === 4 ? 'right' : i === 0 ? 'left' : 'center';
    g.fillText(number(cycle), x(cycle), height - 5);
  }
  g.textAlign = 'left';
  byId('range').textContent =
    `cycles ${number(view[0])} to ${number(view[1])}`;
}

function zoom(factor, centre) {
  const span = Math.min(Math.max((view[1] - view[0]) * factor, 16),
    launch.cycles);
  let begin = centre - (centre - view[0]) * span / (view[1] - view[0]);
  begin = Math.min(Math.max(begin, 0), launch.cycles - span);
  view = [begin, begin + span];
  drawTimeline();
}

function sliceAt(event) {
  const canvas = byId('timeline');
  const box = canvas.getBoundingClientRect();
  const cycle = view[0] + (event.clientX - box.left - kLeft) /
    (box.width - kLeft) * (view[1] - view[0]);
  const list = slices[Math.floor((event.clientY - box.top) / kRow)] || [];
  let found = null;
  for (let i = firstAfter(list, cycle); i < list.length; ++i) {
    if (list[i].begin > cycle) {
      break;
    }
    found = list[i];
  }
  return [cycle, found];
}

function watchTimeline() {
  const canvas = byId('timeline');
  const middle = () => (view[0] + view[1]) / 2;
  byId('zoom-in').onclick = () => zoom(0.5, middle());
  byId('zoom-out').onclick = () => zoom(2, middle());
  byId('zoom-all').onclick = () => zoom(1e12, 0);
  byId('core').onchange = () => {
    loadCore(Number(byId('core').value));
    drawTimeline();
  };
  canvas.addEventListener('wheel', (event) => {
    event.preventDefault();
    zoom(event.deltaY < 0 ? 0.8 : 1.25, sliceAt(event)[0]);
  }, {passive: false});
  let drag = null;
  canvas.onpointerdown = (event) => {
    drag = [event.clientX, view[0]];
    canvas.setPointerCapture(event.pointerId);
  };
  canvas.onpointerup = () => { drag = null; };
  canvas.onpointerleave = () => { byId('tip').style.display = 'none'; };
  canvas.onpointermove = (event) => {
    const span = view[1] - view[0];
    if (drag) {
      const perPixel = span / (canvas.clientWidth - kLeft);
      const begin = Math.min(Math.max(
        drag[1] - (event.clientX - drag[0]) * perPixel, 0),
      launch.cycles - span);
      view = [begin, begin + span];
      drawTimeline();
      return;
    }
    const slice = sliceAt(event)[1];
    const tip = byId('tip');
    tip.style.display = slice ? 'block' : 'none';
    if (slice) {
      tip.textContent = launch.names[slice.name] +
        (slice.line ? `\nline ${slice.line}` : '') +
        `\n${number(slice.begin)} to ${number(slice.end)}: ` +
        `${number(slice.end - slice.begin)} cycles`;
      tip.style.left = Math.min(event.clientX + 12,
        window.innerWidth - 220) + 'px';
      tip.style.top = event.clientY + 14 + 'px';
    }
  };
  window.addEventListener('resize', drawTimeline);
}

function show(index) {
  const layer = data.layers[index];
  launch = data.launches[layer.launch];
  document.querySelectorAll('#layers tr.pick').forEach((row) =>
    row.classList.toggle('picked', Number(row.dataset.layer) === index));
  showExplanation();
  showUse();
  showStalls();
  showBytes();
  showMemory();
  showEnergy();
  showLines();
  showRoofline();
  byId('core').innerHTML = launch.timeline.map((c, i) =>
    `<option value="${i}">${i}</option>`).join('');
  byId('timeline-note').textContent = launch.timeline.length ? '' :
    `${number(launch.slices)} slices are too many for this page; ` +
    'kiln profile --perfetto FILE holds them all.';
  view = [0, launch.cycles];
  if (launch.timeline.length) {
    loadCore(0);
  } else {
    slices = [];
  }
  drawTimeline();
}

byId('title').textContent = data.title;
byId('subtitle').textContent = `${data.device} on ${data.machine} ` +
  `(${data.machine_hash.slice(0, 12)}), ${number(data.cycles)} cycles, ` +
  `${(1e6 * data.cycles / data.clock_hz).toFixed(1)} us`;
showLayers();
watchTimeline();
const heaviest = data.layers.reduce((best, l, i) => l.launch !== null &&
  (best < 0 || l.cycles > data.layers[best].cycles) ? i : best, -1);
if (heaviest >= 0) {
  show(heaviest);
}
document.body.dataset.ready = 'yes';
