/** The last events of remote SIM. */

import { el, fill, setText } from './dom.js';
import { EventRow } from './event-row.js';
import { REMOTE_KINDS, isOfRemoteSim } from './remote-data.js';

const MOST = 15;

export class RemoteEvents {
	/** `ctx` as for ClientCard. */
	constructor(ctx) {
		const { t, options } = ctx;
		this._ctx = ctx;
		this._events = [];
		this._rows = new Map();
		this.list = el('ol.remsim-events');
		this.none = el('p.remsim-absent', {}, t('Nothing has happened yet.'));
		const all = options.links.page ? `${options.links.page('events')}#${new URLSearchParams({ kind: REMOTE_KINDS })}` : null;
		this.root = el('section.remsim-panel', { 'aria-label': t('Last events') }, el('header', {}, el('h2', {}, t('Last events')), all ? el('a', { href: all }, t('All of them')) : null), this.none, this.list);
	}

	async load() {
		try {
			const { events } = await this._ctx.request('events', { query: { kind: REMOTE_KINDS, limit: MOST } });
			this._take(events);
		} catch (error) {
			setText(this.none, error.message);
		}
	}

	happened(event) {
		if (isOfRemoteSim(event))
			this._take([event]);
	}

	_take(events) {
		const known = new Map([...this._events, ...events].map(event => [event.id, event]));
		this._events = [...known.values()].sort((a, b) => b.id - a.id).slice(0, MOST);
		const rows = new Map(this._events.map(event => [event.id, this._rows.get(event.id) || new EventRow(event, { ...this._ctx, opened: () => {} })]));
		const hadFocus = this.list.contains(document.activeElement) ? document.activeElement : null;
		fill(this.list, [...rows.values()].map(row => row.root));
		hadFocus?.focus({ preventScroll: true });
		this._rows = rows;
		this.none.hidden = rows.size > 0;
	}
}
