/** A time that was pressed on a chart: what changed there, a note, nearer. */

import { el, fill, setText } from './dom.js';
import { moment, number } from './format.js';
import { fetchSeries } from './series.js';

const AROUND_S = 300;

/** A bar at the window's foot while a time is chosen. `todo` = {changed(time), note(time) or null, zoom(from, to), left()}. */
export class PointBar {
	constructor(t, todo) {
		this._t = t;
		this._todo = todo;
		this.time = null;
		this.label = el('strong');
		this.first = el('button.remsim-primary', { type: 'button', click: () => todo.changed(this.time) }, t('What changed here?'));
		this.root = el('div.remsim-point', { role: 'toolbar', hidden: true, 'aria-label': t('At the time pressed'), keydown: key => { if (key.key === 'Escape') this.close(); } },
			this.label, this.first,
			todo.note ? el('button', { type: 'button', click: () => todo.note(this.time) }, t('Add a note')) : null,
			el('button', { type: 'button', click: () => { const { time } = this; this.close(); todo.zoom(time - AROUND_S, time + AROUND_S); } }, t('Zoom in here')),
			el('button.remsim-point-close', { type: 'button', 'aria-label': t('Close'), click: () => this.close() }, '✕'));
	}

	/** Show it for a time; who came by a key goes on with a key. */
	open(time, nowS) {
		this._opener = document.activeElement;
		this.time = time;
		setText(this.label, moment(time, nowS));
		this.root.hidden = false;
		if (this._opener && this._opener.matches('.remsim-canvas:focus-visible'))
			this.first.focus();
	}

	close() {
		if (this.root.hidden)
			return;
		const hadFocus = this.root.contains(document.activeElement);
		this.root.hidden = true;
		this.time = null;
		if (hadFocus && this._opener?.isConnected)
			this._opener.focus({ preventScroll: true });
		this._todo.left();
	}
}

/**
 * What values did around a time: rows of [name, mean of the five minutes before, after, shown by the chart's own format],
 * the largest change first. `charts` as in history-charts.js.
 */
export async function changesAround(request, time, nowS, modems, charts) {
	const lines = charts.filter(chart => !chart.bars);
	const measures = [...new Set(lines.map(chart => chart.lines[0][0]))].slice(0, Math.max(1, Math.floor(64 / modems.length)));
	const series = await fetchSeries(request, { modems: modems.map(modem => modem.id), measures, from: Math.floor(time - AROUND_S), to: Math.ceil(Math.min(time + AROUND_S, nowS)), points: 60, band: false });
	const rows = [];
	for (const modem of modems) {
		for (const chart of lines) {
			const found = series.get(`${modem.id} ${chart.lines[0][0]}`);
			const [before, after] = found ? [mean(found.points, time - AROUND_S, time), mean(found.points, time, time + AROUND_S)] : [null, null];
			if (before === null && after === null)
				continue;
			const size = before === null || after === null ? Infinity : Math.abs(after - before) / (chart.max - chart.min);
			rows.push({ modem, chart, before, after, size });
		}
	}
	return rows.filter(row => row.size >= 0.05).sort((a, b) => b.size - a.size);
}

function mean(points, from, to) {
	const known = points.filter(([time, , value]) => value !== null && time > from && time <= to);
	return known.length ? known.reduce((sum, point) => sum + point[2], 0) / known.length : null;
}

/** Those rows as a list; what stayed nearly the same is not in it. */
function changeList(rows, t) {
	if (!rows.length)
		return el('p.remsim-absent', {}, t('No value changed much.'));
	const shown = (chart, value) => value === null ? t('nothing') : chart.format ? chart.format(value) : number(value, chart.digits || 0);
	return el('ul.remsim-changes', {}, rows.slice(0, 12).map(({ modem, chart, before, after }) => el('li', {},
		el('span', {}, t('%s of %s', t(chart.title), modem.name)), el('b', {}, `${shown(chart, before)} → ${shown(chart, after)}`), chart.unit ? ` ${chart.unit}` : null)));
}

/** Fill a node with what `rows` (a promise) will be. */
export async function fillChanges(node, rows, t) {
	try {
		fill(node, changeList(await rows, t));
	} catch (error) {
		fill(node, el('p.remsim-problem', {}, error.message));
	}
}
