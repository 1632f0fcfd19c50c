/** The charts of History, one under the other: each is drawn when it comes near the window. */

import { BarChart } from './chart-bars.js';
import { pictureButton } from './chart-picture.js';
import { ChartTable } from './chart-table.js';
import { TimeChart } from './charts.js';
import { el, fill } from './dom.js';
import { download, saveCsv } from './download.js';
import { meaningFold } from './meanings.js';

const AHEAD = '1200px 0px';

class Place {
	/** A chart with what stands around it: its picture, its table, its meaning. */
	constructor(chart, group, ChartJs, t) {
		this.id = chart.id;
		this.spec = chart;
		const Kind = chart.bars ? BarChart : TimeChart;
		this.chart = new Kind({ ...chart, title: t(chart.title), t }, group, ChartJs);
		this.table = new ChartTable(this.chart, t);
		this.unusual = el('p.remsim-unusual', { hidden: true });
		this.chart.exports.append(pictureButton(this.chart, t));
		if (chart.bars)
			this.chart.exports.append(el('button.remsim-picture', { type: 'button', 'aria-label': t('%s as CSV', t(chart.title)), click: () => saveCsv(this.chart) }, 'CSV'));
		this.chart.root.append(this.unusual, el('div.remsim-chart-more', {}, this.table.root, meaningFold(t, [chart.id])));
		this.isNear = false;
		this.waiting = null;
	}

	draw() {
		const drawing = this.waiting;
		this.waiting = null;
		this.chart.show(...drawing);
		this.table.update();
	}
}

export class Stack {
	constructor(group, ChartJs, t) {
		this._group = group;
		this._ChartJs = ChartJs;
		this._t = t;
		this.places = new Map();
		this.body = el('div.remsim-stack');
		this.absent = el('ul.remsim-absent-charts', { hidden: true });
		this.root = el('div', {}, this.body, this.absent);
		this._watch = new IntersectionObserver(seen => {
			for (const { target, isIntersecting } of seen) {
				const place = [...this.places.values()].find(one => one.chart.root === target);
				if (place) {
					place.isNear = isIntersecting;
				}
			}
			this._draw();
		}, { rootMargin: AHEAD });
	}

	/** Have a place for each of these charts and for no other, in their order. */
	want(charts) {
		for (const [id, { chart }] of this.places) {
			if (!charts.some(one => one.id === id)) {
				this._watch.unobserve(chart.root);
				chart.destroy();
				chart.root.remove();
				this.places.delete(id);
			}
		}
		charts.forEach((spec, at) => {
			if (!this.places.has(spec.id)) {
				const place = new Place(spec, this._group, this._ChartJs, this._t);
				this.places.set(spec.id, place);
				this._watch.observe(place.chart.root);
			}
			const { root } = this.places.get(spec.id).chart;
			if (this.body.children[at] !== root)
				this.body.insertBefore(root, this.body.children[at] || null);
		});
	}

	/** Whether no chart has a line: none was recorded, and then zeros that were counted are no knowledge either. */
	get isEmpty() {
		return [...this.places.values()].every(({ spec, chart }) => chart.root.hidden || (spec.bars && this._isZero(spec.id)));
	}

	/** Leave out the bars of nothing. */
	hideZeros(reason) {
		for (const [id, { chart }] of this.places) {
			if (!chart.root.hidden && this._isZero(id))
				this.show(id, { lines: [], why: [[null, reason]] });
		}
	}

	_isZero(id) {
		const { waiting, chart } = this.places.get(id);
		return (waiting ? waiting[0] : chart.lines).every(line => line.points.every(point => point[2] === 0));
	}

	/** Draw a chart; what is not there has a line that says `why`: [[modem's name or null for all, reason], …]. */
	show(id, { lines, stepS, why }, from, to) {
		const place = this.places.get(id);
		if (!place)
			return;
		place.why = why;
		place.chart.root.hidden = !lines.length;
		if (lines.length)
			place.waiting = [lines, from, to, stepS];
		this._absent();
		this._draw();
	}

	/** Draw what waits and is near, one after the other, so that the first is seen while the others are drawn. */
	_draw() {
		if (this._drawing)
			return;
		const place = [...this.places.values()].find(one => one.isNear && one.waiting);
		if (!place)
			return;
		place.draw();
		this._drawing = setTimeout(() => {
			this._drawing = null;
			this._draw();
		});
	}

	/** Do not draw what waits: another period is asked for. */
	forget() {
		for (const place of this.places.values())
			place.waiting = null;
	}

	_absent() {
		const t = this._t, missing = [...this.places.values()].flatMap(({ chart: { spec }, why = [] }) => why.map(([modem, reason]) => [modem ? t('%s of %s', spec.title, modem) : spec.title, reason]));
		this.absent.hidden = !missing.length;
		fill(this.absent, missing.map(([what, reason]) => el('li', {}, t('%s is not shown: %s', what, reason))));
	}

	/** The stretches that are unusual in a chart, and in a line how they were found. */
	unusual(id, stretches, text) {
		const place = this.places.get(id);
		place.chart.setUnusual(stretches);
		place.unusual.hidden = !text;
		fill(place.unusual, text ? [el('span.remsim-diamond', { 'aria-hidden': 'true' }, '◇ '), text] : null);
	}

	/** The address of a chart's values as CSV; null without one. */
	exported(id, url) {
		const { chart } = this.places.get(id);
		download(chart.exports, 'a', url, 'CSV', this._t('%s as CSV', chart.spec.title));
	}

	/** Do something with every chart. */
	each(work) {
		for (const { chart } of this.places.values())
			work(chart);
	}

	recolour() {
		this.each(chart => chart.recolour());
	}

	destroy() {
		this._watch.disconnect();
		clearTimeout(this._drawing);
		this.each(chart => chart.destroy());
	}
}
