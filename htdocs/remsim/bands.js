/** States over time as bands: registration, technology and SIM of each modem, as SVG without inline styles. */

import { el, fill, svg } from './dom.js';
import { epoch, moment } from './format.js';
import { MODE_WORDS, STATE_WORDS, stateLook } from './words.js';

const WIDTH = 1000;

const REGISTRATION_LOOK = { home: 'ok', roaming: 'ok', searching: 'busy', denied: 'problem', not_registered: 'problem' };
const MODE_LOOK = { LTE: 'mode2', NSA: 'mode1', SA: 'mode1', UMTS: 'mode3', GSM: 'mode4' };

function look(track, value) {
	if (value === null || value === undefined)
		return 'unknown';
	if (track === 'state')
		return stateLook(value);
	if (track === 'registration')
		return REGISTRATION_LOOK[value] || 'unknown';
	return track === 'technology' ? MODE_LOOK[value] || 'unknown' : 'mode2';
}

function words(track, value, t) {
	if (value === null || value === undefined)
		return t('unknown');
	if (track === 'state')
		return t(STATE_WORDS[value] || value);
	return track === 'technology' ? MODE_WORDS[value] || value : String(value).replaceAll('_', ' ');
}

/** The timeline section; `show(rows, from, to)` with rows = [{modem, track, label, segments}]. */
export class Bands {
	constructor(t) {
		this._t = t;
		this.body = el('div.remsim-bands');
		this.root = el('section.remsim-chart', { 'aria-label': t('State timelines') },
			el('header', {}, el('h3', {}, t('State, technology and SIM'))), this.body);
	}

	show(rows, from, to) {
		const t = this._t;
		fill(this.body, rows.map(({ modem, track, label, segments }) => {
			const parts = segments.filter(one => epoch(one.to) > from).map(one => {
				const start = Math.max(epoch(one.from), from), end = Math.min(epoch(one.to), to);
				const title = `${modem}: ${words(track, one.value, t)}, ${moment(start, to)} – ${moment(end, to)}`;
				return svg('rect', {
					x: (start - from) / (to - from) * WIDTH, width: Math.max((end - start) / (to - from) * WIDTH, 0.5),
					y: 0, height: 12, class: `remsim-band-${look(track, one.value)}`
				}, svg('title', {}, title));
			});
			const last = segments[segments.length - 1];
			const now = last ? words(track, last.value, t) : t('unknown');
			return el('div.remsim-band-row', {},
				el('span.remsim-band-name', {}, `${modem} · ${label}`),
				svg('svg', { viewBox: `0 0 ${WIDTH} 12`, preserveAspectRatio: 'none', role: 'img', 'aria-label': `${modem} ${label}: ${now}`, class: 'remsim-band' }, parts),
				el('span.remsim-band-now', {}, now));
		}));
	}
}
