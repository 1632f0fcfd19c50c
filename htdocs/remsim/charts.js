/** Time charts on Chart.js: band of min and max, gaps as gaps, one cursor for all, events on a lane, zoom by drag. */

import { el, fill, setText, svg } from './dom.js';
import { NONE, moment, number, tick, tickStep, zoneS } from './format.js';
import { DASHED, DASHES, colours } from './theme.js';

const LANE = 16;
const MARK = 9;
const NEAR = 12;
const LATEST_S = 15;

let library = null;

/** Chart.js, loaded once from beside these modules; its UMD file sets a global. */
export function loadChartJs() {
	library ||= window.Chart ? Promise.resolve(window.Chart) : new Promise((resolve, reject) => {
		const script = document.createElement('script');
		script.src = new URL('../vendor/chart.umd.js', import.meta.url);
		script.onload = () => resolve(window.Chart);
		script.onerror = () => { library = null; reject(new Error('Chart.js did not load')); };
		document.head.appendChild(script);
	});
	return library;
}

/** What the charts of a page share: the cursor's time and the period shown. */
export class ChartGroup {
	constructor() {
		this.charts = new Set();
		this.cursor = null;
		this.onZoom = () => {};
		this.onEvent = () => {};
		this._frame = null;
	}

	/** Move the cursor of all charts; drawn once a frame, however often the pointer tells. */
	setCursor(time) {
		if (time === this.cursor)
			return;
		this.cursor = time;
		this._frame ??= requestAnimationFrame(() => {
			this._frame = null;
			for (const chart of this.charts)
				chart.drawCursor();
		});
	}
}

const MARKS = { cell_change: '●', technology_change: '▲', sim_state: '■', disconnect: '✕', connect: '✓', reboot: '↻', vanished: '✕', failover: '◆', error: '!' };

const COMMON = ['technology_change', 'cell_change'];

/** The marks of a lane that have room of `width` pixels, the rare ones first; `place` gives a time's pixel, null outside. */
export function roomyMarks(events, place, width) {
	const rank = ({ event }) => COMMON.indexOf(event.kind) + 1;
	const placed = events.map(event => ({ ...event, x: place(event.t) })).filter(({ x }) => x !== null);
	const kept = [];
	for (const mark of placed.sort((a, b) => rank(a) - rank(b))) {
		if (kept.every(other => Math.abs(other.x - mark.x) >= width))
			kept.push(mark);
	}
	return kept;
}

/** The mark of an event's kind on the lane under the axis; null for kinds that have none. */
export function markOf(kind) {
	return MARKS[kind] || null;
}

const cursorAndLane = {
	id: 'remsimCursor',
	afterDatasetsDraw(chart) {
		const owner = chart.$remsim;
		if (!owner)
			return;
		const { ctx, chartArea: area, scales } = chart;
		ctx.save();
		ctx.fillStyle = owner.colours.muted;
		ctx.font = `${owner.fontPx}px system-ui, sans-serif`;
		ctx.textAlign = 'center';
		owner.placeMarks();
		for (const { mark, x } of owner.marks)
			ctx.fillText(mark, x, chart.height - 3);
		const cursor = owner._cursor();
		if (cursor !== null) {
			const x = scales.x.getPixelForValue(cursor);
			ctx.strokeStyle = owner.colours.muted;
			ctx.lineWidth = 1;
			ctx.beginPath();
			ctx.moveTo(x, area.top);
			ctx.lineTo(x, area.bottom);
			ctx.stroke();
		}
		if (owner.drag) {
			ctx.fillStyle = owner.colours.accent;
			ctx.globalAlpha = 0.15;
			const [from, to] = owner.drag;
			ctx.fillRect(Math.min(from, to), area.top, Math.abs(to - from), area.bottom - area.top);
		}
		ctx.restore();
	},
	beforeDatasetsDraw(chart) {
		const owner = chart.$remsim;
		if (!owner || !owner.qualityBands)
			return;
		const { ctx, chartArea: area, scales } = chart;
		const edges = [-Infinity, ...owner.qualityBands, Infinity];
		ctx.save();
		ctx.globalAlpha = 0.07;
		['poor', 'fair', 'good', 'excellent'].forEach((word, at) => {
			const top = Math.max(area.top, Number.isFinite(edges[at + 1]) ? scales.y.getPixelForValue(edges[at + 1]) : area.top);
			const bottom = Math.min(area.bottom, Number.isFinite(edges[at]) ? scales.y.getPixelForValue(edges[at]) : area.bottom);
			if (bottom > top) {
				ctx.fillStyle = owner.colours[word];
				ctx.fillRect(area.left, top, area.right - area.left, bottom - top);
			}
		});
		ctx.restore();
	}
};

/**
 * One chart. `spec` = {title, unit, digits, format(value), min, max (suggested limits), t}.
 * A line is {label, series (colour number), dash, points: [[t, min, avg, max], …]}.
 */
export class TimeChart {
	constructor(spec, group, ChartJs) {
		this.spec = spec;
		this.group = group;
		this.lines = [];
		this.events = [];
		this.marks = [];
		this.drag = null;
		this.qualityBands = null;
		this.stepS = null;
		this.legend = el(`div.remsim-legend${spec.format ? '.remsim-wide' : ''}`, { 'aria-hidden': 'true' });
		// The wide ones scroll sideways on a phone, which a keyboard has to reach.
		this.stats = el('div.remsim-statbox', spec.format ? { tabindex: '0', role: 'group', 'aria-label': spec.t('Statistics: %s', spec.title) } : {});
		this.empty = el('div.remsim-empty-chart', { hidden: true });
		this.canvas = el('canvas', { role: 'img', 'aria-label': spec.title });
		this.frame = el('div.remsim-canvas', {}, this.canvas, this.empty);
		this.exports = el('span.remsim-exports');
		this.cursorText = el('span.remsim-cursor-time', { 'aria-hidden': 'true' });
		this.log = spec.logarithmic ? el('button.remsim-log', { type: 'button', 'aria-pressed': 'false', title: spec.t('Logarithmic axis'), click: () => this._toggleLog() }, 'log') : null;
		this.root = el('section.remsim-chart', { 'aria-label': spec.title },
			el('header', {}, el('h3', {}, spec.title, el('span.remsim-unit', {}, ` ${spec.unit}`)), this.cursorText, this.log, this.exports),
			this.legend, this.frame, this.stats);
		this._ChartJs = ChartJs;
		group.charts.add(this);
	}

	/** Draw for the first time, once the element is in the page. */
	_make() {
		this.colours = colours(this.root);
		this.fontPx = Math.max(11, Math.round(parseFloat(getComputedStyle(this.root).fontSize) * 0.72));
		const axis = { grid: { color: this.colours.border, lineWidth: 1, drawTicks: false }, border: { display: false }, ticks: { color: this.colours.muted, font: { size: this.fontPx } } };
		this.chart = new this._ChartJs(this.canvas, {
			type: 'line',
			plugins: [cursorAndLane],
			data: { datasets: [] },
			options: {
				animation: false,
				parsing: false,
				normalized: true,
				responsive: true,
				maintainAspectRatio: false,
				spanGaps: false,
				interaction: { mode: null },
				events: [],
				layout: { padding: { top: 4, right: 8, bottom: LANE } },
				elements: { point: { radius: 0, hoverRadius: 0 }, line: { borderWidth: 1.5, tension: 0 } },
				plugins: { legend: { display: false }, tooltip: { enabled: false }, decimation: { enabled: false } },
				scales: {
					x: {
						...axis, type: 'linear', min: 0, max: 1,
						ticks: { ...axis.ticks, autoSkip: true, maxRotation: 0, padding: 6, callback(value) { return tick(value, this.max - this.min); } },
						afterBuildTicks: scale => {
							const step = tickStep(scale.max - scale.min, Math.max(2, Math.floor((scale.width || 600) * 11 / this.fontPx / 90)));
							const zone = zoneS(scale.min);
							const first = Math.ceil((scale.min - zone) / step) * step + zone;
							scale.ticks = [];
							for (let value = first; value <= scale.max; value += step)
								scale.ticks.push({ value: value + zoneS(value) - zone });
						}
					},
					y: {
						...axis,
						afterFit: scale => { scale.width = (this.spec.axisWidth || 44) * this.fontPx / 11; },
						ticks: { ...axis.ticks, includeBounds: false, maxTicksLimit: 6, callback: value => this._isLog() && !/^[125]0*$/.test(String(value)) ? null : this.spec.axis ? this.spec.axis(value) : number(value, Number.isInteger(value) ? 0 : 1) }
					}
				}
			}
		});
		this.chart.$remsim = this;
		this._listen();
	}

	/** Show lines over a period; the statistics are of these points. */
	show(lines, from, to, stepS, emptyText) {
		if (!this.chart)
			this._make();
		this.lines = lines;
		this.stepS = stepS;
		this.emptyText = emptyText;
		const datasets = [];
		for (const line of lines) {
			const colour = this.colours.series[line.series % 8];
			const dash = line.dash ? DASHED : DASHES[line.series % 8];
			const data = line.points.map(point => ({ x: point[0], y: point[2] }));
			line.sets = [[{ label: line.label, data, borderColor: colour, borderDash: dash, order: 1 }, 2]];
			if (stepS > 1 || line.points.some(point => point[1] !== point[3])) {
				const band = { borderWidth: 0, backgroundColor: `${colour}26`, order: 2, label: null };
				line.sets.push([{ ...band, data: line.points.map(point => ({ x: point[0], y: point[3] })), fill: '+1' }, 3]);
				line.sets.push([{ ...band, data: line.points.map(point => ({ x: point[0], y: point[1] })), fill: false }, 1]);
			}
			datasets.push(...line.sets.map(([set]) => set));
		}
		this.chart.data.datasets = datasets;
		this._period(from, to);
		this._limits();
		const hasData = lines.some(line => line.points.some(point => point[2] !== null));
		this.empty.hidden = hasData;
		if (!hasData)
			fill(this.empty, emptyText || this.spec.t('No value was recorded in this period.'));
		this.chart.update('none');
		this._texts();
	}

	/** Add live values, oldest first, to lines and move the period: additions are [line, time, value]. */
	append(additions, from, to) {
		if (!this.chart)
			return;
		const step = this.stepS || 1;
		for (const [line, time, value] of additions) {
			const last = line.points[line.points.length - 1];
			if (last && time <= last[0])
				continue;
			if (last && time - last[0] > Math.max(10, 3 * step, 3 * (line.periodS || 1)) && last[2] !== null)
				takeLive(line, last[0] + 1, null, 1);
			takeLive(line, time, value, step);
			line.sets.forEach(([set, column]) => follow(set.data, line.points, column));
			if (value !== null)
				this.empty.hidden = true;
		}
		for (const line of this.lines) {
			const old = line.points.findIndex(point => point[0] >= from - 60);
			if (old > 0)
				[line.points, ...line.sets.map(([set]) => set.data)].forEach(points => points.splice(0, old));
		}
		this._period(from, to);
		this._limits();
		this.chart.update('none');
		this._texts();
	}

	/** The axis shows the usual range, widened where data leaves it. */
	_limits() {
		const known = this.lines.flatMap(line => line.points).filter(point => point[2] !== null);
		const low = known.reduce((least, point) => Math.min(least, point[1]), Infinity);
		const high = known.reduce((most, point) => Math.max(most, point[3]), -Infinity);
		const { min = low, max = high } = this.spec;
		const scale = this.chart.options.scales.y;
		const margin = low < min || high > max ? (Math.max(high, max) - Math.min(low, min)) * 0.04 : 0;
		scale.min = Number.isFinite(low) && low < min ? low - margin : min;
		scale.max = Number.isFinite(high) && high > max ? high + margin : max;
		if (!(scale.max > scale.min))
			scale.max = scale.min + 1;
		scale.type = this._isLog() ? 'logarithmic' : 'linear';
		if (this._isLog())
			scale.min = 1;
	}

	_isLog() {
		return this.log !== null && this.log.getAttribute('aria-pressed') === 'true';
	}

	_toggleLog() {
		this.log.setAttribute('aria-pressed', String(!this._isLog()));
		if (this.chart) {
			this._limits();
			this.chart.update('none');
		}
	}

	_period(from, to) {
		this.from = from;
		this.to = to;
		this.chart.options.scales.x.min = from;
		this.chart.options.scales.x.max = to;
	}

	/** Events for the lane: [{t, mark, event}]. */
	setEvents(events) {
		this.events = events;
		if (this.chart)
			this.chart.draw();
	}

	/** Where the marks are now; counted again only when something moved. */
	placeMarks() {
		const { chartArea: area, scales: { x: scale } } = this.chart;
		const known = [this.events, scale.min, scale.max, area.left, area.right];
		if (this._placed && known.every((value, at) => value === this._placed[at]))
			return;
		this._placed = known;
		this.marks = roomyMarks(this.events, time => {
			const x = scale.getPixelForValue(time);
			return x < area.left || x > area.right ? null : x;
		}, MARK);
	}

	/** Take the colours again after a change of scheme. */
	recolour() {
		if (!this.chart)
			return;
		this.colours = colours(this.root);
		for (const axis of ['x', 'y']) {
			this.chart.options.scales[axis].grid.color = this.colours.border;
			this.chart.options.scales[axis].ticks.color = this.colours.muted;
		}
		this.show(this.lines, this.from, this.to, this.stepS, this.emptyText);
	}

	drawCursor() {
		if (this.chart)
			this.chart.draw();
		this._legend();
	}

	destroy() {
		this.group.charts.delete(this);
		if (this.chart)
			this.chart.destroy();
		this.chart = null;
	}

	_shown(value) {
		return this.spec.format ? this.spec.format(value) : number(value, this.spec.digits || 0);
	}

	/** The cursor's time where this chart shows it; null elsewhere. */
	_cursor() {
		const { cursor } = this.group;
		return cursor !== null && cursor >= this.from && cursor <= this.to ? cursor : null;
	}

	_legend() {
		const cursor = this._cursor();
		const items = this.lines.map(line => {
			const point = cursor === null ? latest(line.points, this.to - Math.max(LATEST_S, 3 * (this.stepS || 1), 3 * (line.periodS || 1))) : nearest(line.points, cursor, (this.to - this.from) / 50);
			const dash = line.dash ? DASHED : DASHES[line.series % 8];
			const swatch = svg('svg', { viewBox: '0 0 18 4', class: `remsim-swatch remsim-series-${(line.series % 8) + 1}` },
				svg('path', { d: 'M0 2H18', 'stroke-dasharray': dash.join(' ') || null }));
			return el('span', {}, swatch, `${line.label} `, el('b', {}, point ? this._shown(point[2]) : NONE));
		});
		fill(this.legend, items);
		const mark = cursor === null ? null : this._near(this.chart.scales.x.getPixelForValue(cursor));
		setText(this.cursorText, cursor === null ? '' : [moment(cursor, Date.now() / 1000), mark && `${mark.mark} ${mark.event.message}`].filter(Boolean).join(' · '));
		this.frame.classList.toggle('remsim-over-mark', mark !== null);
	}

	/** The mark that a pointer at this pixel means; null when there is none. */
	_near(pixel) {
		const found = this.marks.map(mark => [Math.abs(mark.x - pixel), mark]).sort((a, b) => a[0] - b[0])[0];
		return found && found[0] <= NEAR ? found[1] : null;
	}

	_texts() {
		this._legend();
		const t = this.spec.t;
		const rows = this.lines.map(line => [line, statistics(line.points)]).filter(([, known]) => known);
		const names = ['min', 'avg', 'median', 'p95', 'max'];
		const step = this.stepS > 1 ? t('%s averages', stepText(this.stepS)) : t('every reading');
		fill(this.stats, rows.length ? el('table.remsim-stats', {},
			el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, step), names.map(name => el('th', { scope: 'col' }, t(name))))),
			el('tbody', {}, rows.map(([line, known]) => el('tr', {},
				el('th', { scope: 'row' }, line.label), names.map(name => el('td', {}, this._shown(known[name]))))))) : null);
		const words = rows.map(([line, known]) => `${line.label}: ${names.map(name => `${name} ${this._shown(known[name])}`).join(', ')}`);
		this.canvas.setAttribute('aria-label', `${this.spec.title}, ${this.spec.unit}. ${words.join('. ')}`);
	}

	_time(pointer) {
		const box = this.canvas.getBoundingClientRect();
		return this.chart.scales.x.getValueForPixel(pointer.clientX - box.left);
	}

	_listen() {
		const pointers = new Map();
		const x = pointer => pointer.clientX - this.canvas.getBoundingClientRect().left;
		this.canvas.addEventListener('pointerdown', pointer => {
			pointers.set(pointer.pointerId, [x(pointer), x(pointer)]);
			this.group.setCursor(this._time(pointer));
			if (pointer.pointerType === 'mouse')
				this.canvas.setPointerCapture(pointer.pointerId);
		});
		this.canvas.addEventListener('pointermove', pointer => {
			const start = pointers.get(pointer.pointerId);
			if (start)
				start[1] = x(pointer);
			if (start && pointer.pointerType === 'mouse' && Math.abs(start[1] - start[0]) > 6)
				this.drag = start;
			this.group.setCursor(this._time(pointer));
			if (this.drag)
				this.chart.draw();
		});
		const end = pointer => {
			const start = pointers.get(pointer.pointerId);
			const others = [...pointers.entries()].filter(([id]) => id !== pointer.pointerId);
			pointers.delete(pointer.pointerId);
			const value = pixel => this.chart.scales.x.getValueForPixel(pixel);
			if (this.drag) {
				const [a, b] = this.drag.map(value).sort((p, q) => p - q);
				this.drag = null;
				if (b - a > 10)
					this.group.onZoom(a, b);
			} else if (start && others.length === 1) {
				this._pinched(start, others[0][1]);
			} else if (start && Math.abs(start[1] - start[0]) < 6) {
				this._clicked(start[0]);
			}
		};
		this.canvas.addEventListener('pointerup', end);
		this.canvas.addEventListener('pointercancel', pointer => { pointers.delete(pointer.pointerId); this.drag = null; });
		this.canvas.addEventListener('pointerleave', pointer => {
			if (!pointers.has(pointer.pointerId) && pointer.pointerType !== 'touch') // a finger lifted leaves the values to be read
				this.group.setCursor(null);
		});
	}

	/** Two fingers moved: the period between them before fills the distance between them after. */
	_pinched(one, other) {
		const before = Math.abs(one[0] - other[0]), after = Math.abs(one[1] - other[1]);
		if (before < 20 || after < 20)
			return;
		const span = (this.to - this.from) * before / after;
		const middle = this.chart.scales.x.getValueForPixel((one[0] + other[0]) / 2);
		this.group.onZoom(middle - span / 2, Math.min(middle + span / 2, Date.now() / 1000));
	}

	_clicked(pixel) {
		const mark = this._near(pixel);
		if (mark)
			this.group.onEvent(mark.event);
	}
}

/**
 * Put a live value to a line: into the span of `stepS` that is still open, or as the first of a new one. So a chart
 * that stays open has as many points as one that was just loaded.
 */
export function takeLive(line, time, value, stepS) {
	const end = stepS > 1 ? Math.ceil(time / stepS) * stepS : time;
	const { open, points } = line;
	if (!open || open.end !== end) {
		line.open = value === null ? null : { end, count: 1, sum: value };
		points.push([time, value, value, value]);
	} else if (value !== null) {
		const [, least, , most] = points[points.length - 1];
		open.count += 1;
		open.sum += value;
		points[points.length - 1] = [time, Math.min(least, value), open.sum / open.count, Math.max(most, value)];
	}
}

/** Let a dataset have what was added to, or changed at the end of, the points of its line. */
function follow(data, points, column) {
	for (let at = Math.max(data.length - 1, 0); at < points.length; at++)
		data[at] = { x: points[at][0], y: points[at][column] };
}

/** The last known value, unless it is older than `oldest`. */
function latest(points, oldest) {
	for (let at = points.length - 1; at >= 0 && points[at][0] >= oldest; at--) {
		if (points[at][2] !== null)
			return points[at];
	}
	return null;
}

function nearest(points, time, within) {
	let low = 0, high = points.length - 1;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (points[middle][0] < time)
			low = middle + 1;
		else
			high = middle;
	}
	const around = [points[low - 1], points[low]].filter(Boolean);
	const best = around.sort((a, b) => Math.abs(a[0] - time) - Math.abs(b[0] - time))[0];
	return best && Math.abs(best[0] - time) <= within ? best : null;
}

/** Least, mean, median, 95th percentile and greatest of a line; null without values. */
export function statistics(points) {
	const known = points.filter(point => point[2] !== null);
	if (!known.length)
		return null;
	const means = known.map(point => point[2]).sort((a, b) => a - b);
	const rank = percent => means[Math.max(Math.ceil(percent / 100 * means.length) - 1, 0)];
	return {
		min: Math.min(...known.map(point => point[1])),
		max: Math.max(...known.map(point => point[3])),
		avg: means.reduce((sum, value) => sum + value, 0) / means.length,
		median: rank(50),
		p95: rank(95)
	};
}

function stepText(seconds) {
	if (seconds % 3600 === 0)
		return `${seconds / 3600} h`;
	return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

