/** One event: a line that opens with what it knows, what happened around it, and the way to History. */

import { severityNode } from './alert-words.js';
import { markOf } from './chart-marks.js';
import { CopyBox } from './copy.js';
import { el, fill } from './dom.js';
import { factRows, kindWord } from './event-words.js';
import { clock, epoch, moment } from './format.js';

const AROUND_S = 300;
const MOST_AROUND = 100;

/** The message without the modem's id before it: the modem has a place of its own in the line. */
function bareText(event) {
	const start = `${event.source}: `;
	return event.message.startsWith(start) ? event.message.slice(start.length) : event.message;
}

export class EventRow {
	/** `ctx`: t, options, store, opened(row). */
	constructor(event, ctx) {
		this.event = event;
		this._ctx = ctx;
		this.detail = el('div.remsim-ev-detail', { hidden: true });
		this.button = el('button', { type: 'button', class: `remsim-event remsim-ev remsim-event-${event.severity}`, 'aria-expanded': 'false', click: () => this.toggle() },
			this._cells(event));
		this.root = el('li', { keydown: key => { if (key.key === 'Escape' && this.isOpen) this.toggle(); } }, this.button, this.detail);
	}

	_cells(event, isElsewhen = false) {
		const { t, store } = this._ctx, at = epoch(event.at);
		return [
			el('time', { datetime: event.at }, isElsewhen ? moment(at, store.now()) : clock(at, true)),
			el('span.remsim-mark', { 'aria-hidden': 'true' }, markOf(event.kind) || '·'),
			el('span.remsim-ev-kind', {}, kindWord(event.kind, t)),
			el('span.remsim-ev-source', {}, store.modems.get(event.source)?.name || event.source),
			el('span.remsim-ev-text', {}, event.severity === 'info' ? null : [severityNode(event.severity, t), ' '], bareText(event))
		];
	}

	get isOpen() {
		return !this.detail.hidden;
	}

	toggle() {
		this.detail.hidden = this.isOpen;
		this.button.setAttribute('aria-expanded', String(this.isOpen));
		if (this.isOpen && !this.detail.firstChild)
			this._fill();
		else if (!this.isOpen)
			this.button.focus({ preventScroll: true });
		this._ctx.opened();
	}

	async _fill() {
		const { t, options, store } = this._ctx, { event } = this, at = epoch(event.at), now = store.now();
		const facts = factRows(event.data, t);
		const asked = { from: Math.floor(at - AROUND_S), to: Math.ceil(Math.min(at + AROUND_S, now)), ...(store.modems.has(event.source) ? { modem: event.source } : {}) };
		const history = options.links.page?.('history');
		const json = new CopyBox(t, t('This event as JSON'));
		const around = el('ol.remsim-events', {}, el('li.remsim-absent', {}, t('Looking …')));
		json.show(JSON.stringify(event, null, 2));
		fill(this.detail,
			el('p.remsim-muted', {}, t('%s · event %s', moment(at, 0), event.id ?? '–')),
			facts.length ? el('div.remsim-tablebox', {}, el('table.remsim-table.remsim-ev-facts', {}, el('caption.remsim-said', {}, t('What the event knows')), el('tbody', {}, facts))) : null,
			el('div.remsim-tools', {}, history ? el('a.remsim-button', { href: `${history}#${new URLSearchParams(asked)}` }, t('Show the charts around it')) : null),
			el('h3', {}, t('What changed around it (± 5 minutes)')), around,
			el('details', {}, el('summary', {}, t('As JSON')), json.root));
		try {
			const { events } = await options.request('events', { query: { from: at - AROUND_S, to: at + AROUND_S, limit: MOST_AROUND } });
			const isHere = one => one.id === event.id;
			fill(around, events.map(one => el(`li.remsim-ev.remsim-event-${one.severity}`, { 'aria-current': isHere(one) ? 'true' : null }, this._cells(one, true))),
				events.some(one => !isHere(one)) ? null : el('li.remsim-absent', {}, t('Nothing else.')));
		} catch (error) {
			fill(around, el('li.remsim-problem', {}, error.message));
		}
	}
}
