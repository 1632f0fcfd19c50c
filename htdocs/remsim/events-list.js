/** What happened, newest first; one event opens with its data and what happened around it. */

import { markOf } from './charts.js';
import { el, fill } from './dom.js';
import { epoch, moment, number, withUnit } from './format.js';
import { MODE_WORDS, STATE_WORDS } from './words.js';

const AROUND_S = 300;

/** What an event tells of the signal, as people read it; other facts show under their own names. */
const FACTS = {
	rsrp_dbm: ['RSRP', 'dBm', 0], rsrq_db: ['RSRQ', 'dB', 1], sinr_db: ['SINR', 'dB', 1], latency_ms: ['Latency', 'ms', 0],
	loss_percent: ['Loss', '%', 0], pci: ['PCI', ''], cell_id: ['Cell identity', ''], band: ['Band', ''], mode: ['Technology', '']
};

function factOf([name, value], t) {
	const [label, unit, digits] = FACTS[name] || [name.replaceAll('_', ' '), ''];
	const shown = typeof value !== 'number' ? String(value) : unit ? withUnit(value, unit, digits) : number(value, Number.isInteger(value) ? 0 : 1);
	return el('div', {}, el('dt', {}, t(label)), el('dd', {}, MODE_WORDS[value] || t(STATE_WORDS[value] || shown)));
}

export class EventsList {
	/** `show(from, to)` moves the charts; `request` as in dashboard.js. */
	constructor(store, options, show) {
		this._store = store;
		this._options = options;
		this._show = show;
		this.rows = el('ol.remsim-events');
		this.detail = el('div.remsim-event-detail', { hidden: true, tabindex: '-1', role: 'region', 'aria-label': options.t('Event') });
		this.root = el('section.remsim-chart', { 'aria-label': options.t('Events') },
			el('header', {}, el('h3', {}, options.t('Events'))), this.detail, this.rows);
	}

	update() {
		const t = this._options.t, now = this._store.now(), events = this._store.events.slice(0, 30);
		if (!events.length) {
			fill(this.rows, el('li.remsim-absent', {}, t('Nothing has happened yet.')));
			return;
		}
		fill(this.rows, events.map(event => this._row(event, now)));
	}

	_row(event, now) {
		return el('li', {}, el('button', { type: 'button', class: `remsim-event remsim-event-${event.severity}`, click: () => this.open(event) },
			el('time', { datetime: event.at }, moment(epoch(event.at), now)),
			el('span.remsim-mark', { 'aria-hidden': 'true' }, markOf(event.kind) || '·'),
			el('span', {}, event.message)));
	}

	/** Show one event with its data, and the events of the five minutes before and after it. */
	async open(event) {
		const t = this._options.t, at = epoch(event.at), now = this._store.now();
		const facts = Object.entries(event.data || {}).filter(([, value]) => value !== null).map(fact => factOf(fact, t));
		const around = el('ol.remsim-events', {}, el('li.remsim-absent', {}, t('Looking …')));
		this.detail.hidden = false;
		fill(this.detail,
			el('header', {}, el('h4', {}, event.message), el('button', { type: 'button', click: () => { this.detail.hidden = true; } }, t('Close'))),
			el('p', {}, `${moment(at, now)} · ${event.source} · ${event.kind.replaceAll('_', ' ')}`),
			el('dl.remsim-facts', {}, facts),
			el('button', { type: 'button', click: () => this._show(at - AROUND_S, Math.min(at + AROUND_S, now)) }, t('Show the charts around it')),
			el('h4', {}, t('What changed here? (± 5 minutes)')), around);
		this.detail.scrollIntoView({ block: 'nearest' });
		this.detail.focus({ preventScroll: true });
		try {
			const answer = await this._options.request('events', { query: { from: at - AROUND_S, to: at + AROUND_S, limit: 50 } });
			fill(around, answer.events.map(one => this._row(one, now)));
		} catch (error) {
			fill(around, el('li.remsim-problem', {}, error.message));
		}
	}
}
