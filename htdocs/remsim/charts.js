/** Time charts on Chart.js: band of min and max, gaps as gaps, one cursor for all, events on a lane, zoom by drag and keys. */

import { listen } from './chart-gestures.js';
import { LANE, layers } from './chart-layers.js';
import { roomyMarks } from './chart-marks.js';
import { latest, nearest, statistics, stepText, takeLive } from './chart-points.js';
import { scalesOf } from './chart-scales.js';
import { dashOf, legendEntry, statisticsTable, statisticsText } from './chart-words.js';
import { el, fill, setText } from './dom.js';
import { moment, number } from './format.js';
import { colours } from './theme.js';

export { ChartGroup } from './chart-group.js';
export { loadChartJs } from './chart-library.js';
export { markOf, roomyMarks } from './chart-marks.js';
export { statistics, takeLive } from './chart-points.js';

const MARK = 9;
const NEAR = 12;
const NOTE_HEIGHT = 34;
const LATEST_S = 15;

/**
 * One chart. `spec` = {title, unit, digits, format(value), min, max (suggested limits), logarithmic, axisWidth, t}.
 * A line is {label, series (colour number), dash, points: [[t, min, avg, max], …]}; `earlier` is that of another period,
 * drawn over this one, with a `stepS` of its own.
 */
export class TimeChart {
	constructor(spec, group, ChartJs) {
		this.spec = spec;
		this.group = group;
		this.lines = [];
		this.events = [];
		this.marks = [];
		this.notes = [];
		this.unusual = [];
		this.lanes = [];
		this.drag = null;
		this.qualityBands = null;
		this.stepS = null;
		this.legend = el(`div.remsim-legend${spec.format ? '.remsim-wide' : ''}`, { 'aria-hidden': 'true' });
		// The wide ones scroll sideways on a phone, which a keyboard has to reach.
		this.stats = el('div.remsim-statbox', spec.format ? { tabindex: '0', role: 'group', 'aria-label': spec.t('Statistics: %s', spec.title) } : {});
		this.empty = el('div.remsim-empty-chart', { hidden: true });
		this.canvas = el('canvas', { role: 'img', 'aria-label': spec.title });
		this.frame = el('div.remsim-canvas', { tabindex: '0', role: 'group', 'aria-label': spec.t('%s: plus and minus zoom, the arrow keys move, with Shift the cursor, Home shows the whole range', spec.title) },
			this.canvas, this.empty);
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
		this.chart = new this._ChartJs(this.canvas, {
			type: 'line',
			plugins: [layers],
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
				scales: scalesOf(this)
			}
		});
		this.chart.$remsim = this;
		listen(this);
	}

	/** Show lines over a period; the statistics are of these points. */
	show(lines, from, to, stepS, emptyText) {
		if (!this.chart)
			this._make();
		this.lines = lines;
		this.stepS = stepS;
		this.emptyText = emptyText;
		this.chart.data.datasets = lines.flatMap(line => this._sets(line));
		this._period(from, to);
		this._limits();
		const hasData = lines.some(line => line.points.some(point => point[2] !== null));
		this.empty.hidden = hasData;
		if (!hasData)
			fill(this.empty, emptyText || this.spec.t('No value was recorded in this period.'));
		this.chart.update('none');
		this._texts();
	}

	/** The datasets of a line: its averages, and the band between the least and the greatest where there is one. */
	_sets(line) {
		const colour = this.colours.series[line.series % 8];
		const column = at => line.points.map(point => ({ x: point[0], y: point[at] }));
		line.sets = [[{ label: line.label, data: column(2), borderColor: line.earlier ? `${colour}99` : colour, borderDash: dashOf(line), order: 1 }, 2]];
		if (!line.earlier && (this.stepS > 1 || line.points.some(point => point[1] !== point[3]))) {
			const band = { borderWidth: 0, backgroundColor: `${colour}26`, order: 2, label: null };
			line.sets.push([{ ...band, data: column(3), fill: '+1' }, 3], [{ ...band, data: column(1), fill: false }, 1]);
		}
		return line.sets.map(([set]) => set);
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
		scale.type = this.isLog() ? 'logarithmic' : 'linear';
		if (this.isLog())
			scale.min = 1;
	}

	isLog() {
		return this.log !== null && this.log.getAttribute('aria-pressed') === 'true';
	}

	_toggleLog() {
		this.log.setAttribute('aria-pressed', String(!this.isLog()));
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

	/** Show another part of what is here already; what belongs to it comes with the next `show`. */
	preview(from, to) {
		if (!this.chart)
			return;
		this.chart.options.scales.x.min = from;
		this.chart.options.scales.x.max = to;
		this.chart.update('none');
	}

	/** Events for the lane: [{t, mark, event}]. */
	setEvents(events) {
		this.events = events;
		this._redraw();
	}

	/** Notes of people: [{t, to (or null), text, note}]. */
	setNotes(notes) {
		this.notes = [...notes].sort((a, b) => a.t - b.t);
		this._redraw();
	}

	/** Stretches whose values are unusual: [{from, to, value}]. */
	setUnusual(stretches) {
		this.unusual = stretches;
		this._redraw();
	}

	/** Strips of what a modem used: a list a modem of [{from, to, colour (number of a series or null), text}]. */
	setLanes(lanes) {
		this.lanes = lanes;
		this._redraw();
	}

	_redraw() {
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
		this._redraw();
		this._legend();
	}

	destroy() {
		this.group.charts.delete(this);
		if (this.chart)
			this.chart.destroy();
		this.chart = null;
	}

	/** A value with as many digits as it has meaning. */
	shown(value) {
		return this.spec.format ? this.spec.format(value) : number(value, this.spec.digits || 0);
	}

	/** The cursor's time where this chart shows it; null elsewhere. */
	cursorTime() {
		const { cursor } = this.group;
		return this.chart && cursor !== null && cursor >= this.from && cursor <= this.to ? cursor : null;
	}

	/** The point of a line at the cursor, or its last one while there is no cursor. */
	_pointOf(line, cursor) {
		if (cursor === null)
			return line.earlier ? null : latest(line.points, this.to - Math.max(LATEST_S, 3 * (this.stepS || 1), 3 * (line.periodS || 1)));
		return nearest(line.points, cursor, (this.to - this.from) / 50);
	}

	_legend() {
		const cursor = this.cursorTime();
		fill(this.legend, this.lines.map(line => legendEntry(this, line, this._pointOf(line, cursor))));
		const mark = cursor === null ? null : this._near(this.chart.scales.x.getPixelForValue(cursor));
		const strips = cursor === null ? [] : this.lanes.map(segments => segments.find(one => one.from <= cursor && cursor <= one.to)).filter(Boolean).map(one => one.text);
		setText(this.cursorText, cursor === null ? '' : [moment(cursor, Date.now() / 1000), ...strips, mark && `${mark.mark} ${mark.event.message}`].filter(Boolean).join(' · '));
		this.frame.classList.toggle('remsim-over-mark', mark !== null);
	}

	/** The mark that a pointer at this pixel means; null when there is none. */
	_near(pixel) {
		const found = this.marks.map(mark => [Math.abs(mark.x - pixel), mark]).sort((a, b) => a[0] - b[0])[0];
		return found && found[0] <= NEAR ? found[1] : null;
	}

	_texts() {
		this._legend();
		const rows = this.lines.map(line => [line, statistics(line.points)]).filter(([, known]) => known);
		fill(this.stats, rows.length ? statisticsTable(this, rows) : null);
		this.canvas.setAttribute('aria-label', `${this.spec.title}, ${this.spec.unit}. ${statisticsText(this, rows)}`);
	}

	/** What a point stands for. */
	resolution(stepS = this.stepS) {
		return stepS > 1 ? this.spec.t('%s averages', stepText(stepS)) : this.spec.t('every reading');
	}

	/** The time at a pixel of the canvas. */
	timeAt(pixel) {
		return this.chart.scales.x.getValueForPixel(pixel);
	}

	/** Something at a place of the canvas was pressed: a note's flag, a mark, or a time. */
	press(x, y) {
		const { x: scale } = this.chart.scales, { top, bottom } = this.chart.chartArea;
		const note = y < top + NOTE_HEIGHT && this.notes.find(one => Math.abs(scale.getPixelForValue(one.t) - x) <= NEAR);
		const mark = this._near(x);
		if (note)
			this.group.onNote(note.note);
		else if (mark && (y > bottom || !this.group.onPoint))
			this.group.onEvent(mark.event);
		else
			this.pressAt(this.timeAt(x));
	}

	/** A time was pressed, by a key too. */
	pressAt(time) {
		this.group.setCursor(time);
		this.group.onPoint?.(time);
	}
}

/** Let a dataset have what was added to, or changed at the end of, the points of its line. */
function follow(data, points, column) {
	for (let at = Math.max(data.length - 1, 0); at < points.length; at++)
		data[at] = { x: points[at][0], y: points[at][column] };
}
