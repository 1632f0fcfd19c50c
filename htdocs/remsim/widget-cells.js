/**
 * Which cells have served each modem, and for how long: the modem in the middle, its cells around it. A cell's size is its
 * share of the time. The network does not tell where its cells stand, so places on this picture mean nothing.
 */

import { el, fill, svg } from './dom.js';
import { cellName, duration, number, withUnit } from './format.js';
import { quality } from './quality.js';
import { fetchTimelines } from './series.js';
import { panel } from './widget-panel.js';

const MOST = 8;
const RELOAD_S = 60;
const WIDTH = 360, HEIGHT = 230, MIDDLE_X = WIDTH / 2, MIDDLE_Y = HEIGHT / 2;

/** Cells of a modem by the time they served: [{name, seconds, share}], the longest first. */
export function cellsOf(segments) {
	const times = new Map();
	for (const { from, to, value } of segments) {
		if (value !== null)
			times.set(value, (times.get(value) || 0) + to - from);
	}
	const all = [...times.values()].reduce((sum, seconds) => sum + seconds, 0);
	return [...times].map(([name, seconds]) => ({ name, seconds, share: seconds / all })).sort((a, b) => b.seconds - a.seconds);
}

export function make(board, settings, title) {
	return new CellsWidget(board, settings, title);
}

class CellsWidget {
	constructor(board, settings, title) {
		this._board = board;
		this._settings = settings;
		this._generation = 0;
		const { t } = board.options, frame = panel(title);
		this.root = frame.root;
		this.root.classList.add('remsim-for-modems');
		this._box = el('div.remsim-cellmaps');
		fill(frame.body, this._box, el('p.remsim-cellnote', {}, t('Size: share of the time. Where cells stand is not known, so places mean nothing.')));
	}

	async load() {
		const board = this._board, generation = ++this._generation, period = board.period(this._settings.range), modems = board.modems(this._settings.modems), ids = modems.map(modem => modem.id);
		try {
			const [tracks, events] = ids.length ? await Promise.all([
				board.queued(() => fetchTimelines(board.options.request, { modems: ids, tracks: ['cell'], from: period.from, to: period.to })),
				board.queued(() => board.options.request('events', { query: { kind: 'cell_change,connect', from: period.from, to: period.to, limit: 200 } }))
			]) : [new Map(), { events: [] }];
			if (generation !== this._generation)
				return;
			this._period = period;
			this._loadedAt = Date.now() / 1000;
			fill(this._box, modems.map(modem => this._map(modem, cellsOf(tracks.get(`${modem.id} cell`) || []), events.events)));
		} catch (error) {
			if (generation === this._generation)
				fill(this._box, el('p.remsim-problem', {}, error.message));
		}
	}

	/** What is known of a cell: of the serving one now, of another one when it began to serve. */
	_signal(modem, name, isServing, events) {
		if (isServing)
			return modem.reading;
		const last = events.find(event => event.source === modem.id && (event.data.cell ?? event.data.to) === name);
		return last ? last.data : null;
	}

	_map(modem, all, events) {
		const { t } = this._board.options, serving = modem.state === 'online' ? cellName(modem.reading).split(' ')[0] : null;
		const cells = all.slice(0, MOST), others = all.slice(MOST);
		if (!cells.length)
			return el('figure.remsim-cellmap', {}, el('figcaption', {}, modem.name), el('p.remsim-absent', {}, t('No cell is known in this period.')));
		const words = [], nodes = cells.map((cell, at) => {
			const isServing = cell.name === serving, r = this._signal(modem, cell.name, isServing, events);
			const word = r ? quality('rsrp_dbm', r.rsrp_dbm) : null, angle = at / cells.length * 2 * Math.PI - Math.PI / 2;
			const x = MIDDLE_X + Math.cos(angle) * 132, y = MIDDLE_Y + Math.sin(angle) * 78, radius = 12 + Math.sqrt(cell.share) * 15;
			const told = [cell.name, withUnit(cell.share * 100, '%', cell.share < 0.1 ? 1 : 0), r ? withUnit(r.rsrp_dbm, 'dBm') : '', word ? t(word) : '', isServing ? t('serving now') : ''].filter(one => one && one !== '–');
			words.push(told.join(', '));
			return svg('g', { class: `remsim-cell-${word || 'none'}${isServing ? ' remsim-cell-serving' : ''}` },
				svg('line', { x1: MIDDLE_X, y1: MIDDLE_Y, x2: x, y2: y, 'stroke-dasharray': isServing ? null : '3 4' }),
				svg('circle', { cx: x, cy: y, r: radius }, svg('title', {}, `${told.join(', ')}, ${duration(cell.seconds)}`)),
				svg('text', { x, y: y + (y > MIDDLE_Y + 1 || cells.length === 1 ? radius + 12 : -radius - 5), 'text-anchor': 'middle' }, cell.name),
				svg('text', { x, y: y + 3.5, 'text-anchor': 'middle', class: 'remsim-cell-share' }, `${number(cell.share * 100)} %`));
		});
		return el('figure.remsim-cellmap', {},
			el('figcaption', {}, modem.name, el('span.remsim-absent', {}, ` ${others.length ? t('cells: %s, the longest %s are drawn', all.length, MOST) : t('cells: %s', all.length)}`)),
			svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': t('Cells of %s: %s', modem.name, words.join('; ')) }, nodes,
				svg('rect', { x: MIDDLE_X - 26, y: MIDDLE_Y - 11, width: 52, height: 22, rx: 5, class: 'remsim-cell-modem' }),
				svg('text', { x: MIDDLE_X, y: MIDDLE_Y + 4, 'text-anchor': 'middle', class: 'remsim-cell-name' }, modem.name.slice(0, 9))));
	}

	happened(event) {
		this._isOld ||= ['cell_change', 'connect', 'disconnect'].includes(event.kind);
	}

	tick() {
		const age = Date.now() / 1000 - this._loadedAt;
		if (this._period?.live && this.isNear && this._board.isLinked && (age > RELOAD_S || (this._isOld && age > 3))) {
			this._isOld = false;
			this.load();
		}
	}

	destroy() {
		this._generation += 1;
	}
}
