/** States over time as bands: registration, technology and SIM of each modem, as SVG without inline styles. */

import { el, fill, setText, svg } from './dom.js';
import { epoch, moment } from './format.js';
import { MODE_WORDS, STATE_WORDS, stateLook } from './words.js';

const WIDTH = 1000;

const REGISTRATION_LOOK = { home: 'ok', roaming: 'ok', searching: 'busy', denied: 'problem', not_registered: 'problem' };
const MODE_LOOK = { LTE: 'mode2', NSA: 'mode1', SA: 'mode1', UMTS: 'mode3', GSM: 'mode4' };

const COLOURED = ['band', 'cell', 'sim_slot'];

function look(track, value) {
	if (value === null || value === undefined)
		return 'unknown';
	if (track === 'state')
		return stateLook(value);
	if (track === 'registration')
		return REGISTRATION_LOOK[value] || 'unknown';
	return track === 'technology' ? MODE_LOOK[value] || 'unknown' : 'mode2';
}

/** What a track's value is in the user's words. */
export function trackWords(track, value, t) {
	if (value === null || value === undefined)
		return t('unknown');
	if (track === 'state')
		return t(STATE_WORDS[value] || value);
	return track === 'technology' ? MODE_WORDS[value] || value : String(value).replaceAll('_', ' ');
}

const seconds = time => typeof time === 'number' ? time : epoch(time);

/** The timeline section; `show(rows, from, to)` with rows = [{modem, track, label, segments: [{from, to, value}]}], times in seconds or ISO 8601. */
export class Bands {
	constructor(t) {
		this._t = t;
		this._group = null;
		this._rows = [];
		this.body = el('div.remsim-bands', { pointermove: pointer => this._point(pointer), pointerleave: pointer => this._leave(pointer) });
		this.root = el('section.remsim-chart', { 'aria-label': t('State timelines') },
			el('header', {}, el('h3', {}, t('State, technology and SIM'))), this.body);
	}

	/** Share the cursor of the charts. */
	join(group) {
		this._group = group;
		group.charts.add(this);
	}

	show(rows, from, to) {
		this._from = from;
		this._to = to;
		this._rows = rows.map(row => this._row(row));
		const times = el('div.remsim-band-row', {}, el('span'), el('div.remsim-band-times', {}, [from, to].map(time => el('span', {}, moment(time, to, false)))));
		fill(this.body, this._rows.map(({ root }) => root), times);
		this.drawCursor();
	}

	_row({ modem, track, label, segments: told }) {
		const t = this._t, [from, to] = [this._from, this._to];
		const segments = told.map(one => ({ from: seconds(one.from), to: seconds(one.to), value: one.value }));
		const values = [...new Set(segments.map(one => one.value).filter(value => value !== null))];
		const looks = new Map(); // one path a look: a month has thousands of segments
		for (const { from: start, to: end, value } of segments.filter(one => one.to > from)) {
			const name = COLOURED.includes(track) && value !== null ? `remsim-band-coloured remsim-series-${values.indexOf(value) % 8 + 1}` : `remsim-band-${look(track, value)}`;
			const x = this._place(Math.max(start, from)), width = Math.max(this._place(Math.min(end, to)) - x, 0.5);
			looks.set(name, `${looks.get(name) || ''}M${x.toFixed(1)} 0h${width.toFixed(1)}v12h${(-width).toFixed(1)}z`);
		}
		const parts = [...looks].map(([name, d]) => svg('path', { class: name, d }));
		const last = segments[segments.length - 1];
		const now = last ? trackWords(track, last.value, t) : t('unknown');
		const cursor = svg('path', { class: 'remsim-band-cursor' }), hint = svg('title');
		const value = el('span.remsim-band-now', {}, now);
		const root = el('div.remsim-band-row', {},
			el('span.remsim-band-name', {}, `${modem} · ${label}`),
			svg('svg', { viewBox: `0 0 ${WIDTH} 12`, preserveAspectRatio: 'none', role: 'img', 'aria-label': `${modem} ${label}: ${now}`, class: 'remsim-band' }, hint, parts, cursor),
			value);
		return { root, modem, track, segments, now, cursor, value, hint };
	}

	_place(time) {
		return (time - this._from) / (this._to - this._from) * WIDTH;
	}

	/** The line of the cursor, and what was at its time. */
	drawCursor() {
		const time = this._group ? this._group.cursor : null;
		const inside = time !== null && time >= this._from && time <= this._to;
		for (const { modem, track, segments, now, cursor, value, hint } of this._rows) {
			const then = inside ? segments.find(one => one.from <= time && time <= one.to) : null;
			const words = inside ? trackWords(track, then && then.value, this._t) : now;
			cursor.setAttribute('d', inside ? `M${this._place(time)} 0V12` : '');
			setText(value, words);
			setText(hint, then ? `${modem}: ${words}, ${moment(then.from, this._to)} – ${moment(then.to, this._to)}` : '');
		}
	}

	_point(pointer) {
		const band = pointer.target.closest('.remsim-band');
		if (!this._group || !band)
			return;
		const box = band.getBoundingClientRect();
		this._group.setCursor(this._from + (pointer.clientX - box.left) / box.width * (this._to - this._from));
	}

	_leave(pointer) {
		if (this._group && pointer.pointerType !== 'touch')
			this._group.setCursor(null);
	}
}
