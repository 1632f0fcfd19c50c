/** What happened in the period shown, newest first; one event opens with its data and what happened around it. */

import { markOf } from './charts.js';
import { el, fill, setText } from './dom.js';
import { epoch, moment, number, withUnit } from './format.js';
import { MODE_WORDS, STATE_WORDS } from './words.js';

const AROUND_S = 300;
const PAGE = 30;
const MOST = 500;

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
	/**
	 * `show(from, to)` moves the charts; `request` as in dashboard.js. `title`, `count` (rows at first) and `isWanted(event)`
	 * may be others than usual.
	 */
	constructor(store, options, show, { title = null, count = PAGE, isWanted = () => true } = {}) {
		this._store = store;
		this._options = options;
		this._show = show;
		this._events = null;
		this._only = null;
		this._page = this._count = count;
		this._isWanted = isWanted;
		this._items = new Map();
		const t = options.t;
		this._named = title || t('Events');
		this.title = el('h3', {}, this._named);
		this.rows = el('ol.remsim-events');
		this.none = el('p.remsim-absent', { hidden: true });
		this.more = el('button', { type: 'button', hidden: true, click: () => { this._count += this._page; this.update(); } }, t('Show older ones'));
		this.detail = el('div.remsim-event-detail', { hidden: true, tabindex: '-1', role: 'region', 'aria-label': t('Event'), keydown: key => { if (key.key === 'Escape') this.close(); } });
		this.root = el('section.remsim-chart', { 'aria-label': this._named }, el('header', {}, this.title), this.none, this.rows, this.more, this.detail);
	}

	/** List these events of a period; `only` says which kinds they are where not all are listed. */
	show(events, only = null) {
		this._events = [...events].sort((a, b) => b.id - a.id);
		this._only = only;
		this._count = this._page;
		this.update();
	}

	/** An event that happened now belongs to a period that is live. */
	add(event) {
		if (this._events && !this._events.some(known => known.id === event.id))
			this._events = [event, ...this._events].sort((a, b) => b.id - a.id).slice(0, MOST);
	}

	/** Patch the list: a row that stays keeps its element, and with it the keyboard's place. */
	update() {
		const t = this._options.t, now = this._store.now(), events = (this._events || this._store.events).filter(this._isWanted);
		const shown = events.slice(0, this._count), items = new Map();
		for (const event of shown) {
			const item = this._items.get(event.id) || this._row(event, now);
			setText(item.querySelector('time'), moment(epoch(event.at), now));
			items.set(event.id, item);
		}
		for (const [id, item] of this._items) {
			if (!items.has(id))
				item.remove();
		}
		[...items.values()].forEach((item, at) => {
			if (this.rows.children[at] !== item)
				this.rows.insertBefore(item, this.rows.children[at] || null);
		});
		this._items = items;
		setText(this.title, this._only ? t('%s: %s', this._named, this._only) : this._named);
		setText(this.none, this._events ? t('Nothing happened in this period.') : t('Nothing has happened yet.'));
		this.none.hidden = events.length > 0;
		this.more.hidden = events.length <= this._count;
	}

	_row(event, now) {
		return el('li', {}, el('button', { type: 'button', class: `remsim-event remsim-event-${event.severity}`, click: () => this.open(event) },
			el('time', { datetime: event.at }, moment(epoch(event.at), now)),
			el('span.remsim-mark', { 'aria-hidden': 'true' }, markOf(event.kind) || '·'),
			el('span', {}, event.message)));
	}

	/** Move the charts; a sheet over a small screen makes room for them. */
	_around(at, now) {
		if (matchMedia('(max-width: 640px)').matches)
			this.close();
		this._show(at - AROUND_S, Math.min(at + AROUND_S, now));
	}

	close() {
		this.detail.hidden = true;
		if (this._opener && this._opener.isConnected)
			this._opener.focus({ preventScroll: true });
	}

	/** Show one event with its data, and the events of the five minutes before and after it. */
	open(event) {
		const t = this._options.t, at = epoch(event.at);
		const facts = el('dl.remsim-facts');
		const showFacts = data => fill(facts, Object.entries(data || {}).filter(([, value]) => value !== null).map(fact => factOf(fact, t)));
		showFacts(event.data);
		return this._detail(event.message, `${moment(at, this._store.now())} · ${event.source} · ${event.kind.replaceAll('_', ' ')}`, facts, at, event, showFacts);
	}

	/** Show what happened around any time, below `more`. */
	openAt(at, more) {
		return this._detail(this._options.t('At %s', moment(at, this._store.now())), null, more, at);
	}

	async _detail(title, where, more, at, event = null, showFacts = () => {}) {
		const t = this._options.t, now = this._store.now();
		const around = el('ol.remsim-events', {}, el('li.remsim-absent', {}, t('Looking …')));
		if (!this.detail.contains(document.activeElement))
			this._opener = document.activeElement;
		this.detail.hidden = false;
		fill(this.detail,
			el('header', {}, el('h4', {}, title), el('button', { type: 'button', click: () => this.close() }, t('Close'))),
			where ? el('p', {}, where) : null, more,
			el('button', { type: 'button', click: () => this._around(at, now) }, t('Show the charts around it')),
			el('h4', {}, t('What changed here? (± 5 minutes)')), around);
		this.detail.scrollTop = 0;
		this.detail.focus({ preventScroll: true });
		try {
			const answer = await this._options.request('events', { query: { from: at - AROUND_S, to: at + AROUND_S, limit: 50 } });
			if (event && !event.data)
				showFacts(answer.events.find(one => one.id === event.id)?.data); // lists come without
			fill(around, answer.events.map(one => {
				const row = this._row(one, now);
				if (event && one.id === event.id)
					row.firstChild.setAttribute('aria-current', 'true');
				return row;
			}), answer.events.length ? null : el('li.remsim-absent', {}, t('Nothing happened in this period.')));
		} catch (error) {
			fill(around, el('li.remsim-problem', {}, error.message));
		}
	}
}
