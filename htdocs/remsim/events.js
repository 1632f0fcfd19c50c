/** The Events page: the whole journal, filtered, a page at a time, with what came since on top when it is wanted. */

import { severityNode } from './alert-words.js';
import { markOf } from './chart-marks.js';
import { el, fill, setText } from './dom.js';
import { EventRow } from './event-row.js';
import { KIND_WORDS } from './event-words.js';
import { EventsFilter } from './events-filter.js';
import { epoch, zoneS } from './format.js';
import { Frame } from './frame.js';
import { RangeBar } from './range-bar.js';

const PAGE = 100;
const FIRST_RANGE = '24h';

/** Mount the Events page into `node`; `options` as for dashboard.js. Returns {destroy, pause, resume, isWaiting}. */
export async function mount(node, options) {
	const page = new EventsPage(node, options);
	await page.start();
	return page;
}

class EventsPage extends Frame {
	constructor(node, options) {
		super(node, options, 'remsim-eventspage');
		const { t } = this.options, address = new URLSearchParams(location.hash.slice(1));
		if (!address.has('range') && !address.has('from')) {
			address.set('range', FIRST_RANGE);
			history.replaceState(null, '', `#${address}`);
		}
		this.rows = new Map();
		this._waiting = [];
		this._generation = 0;
		this.ranges = new RangeBar(t, () => this.load());
		this.filter = new EventsFilter(t, this.ranges, () => this.load());
		this.exports = ['csv', 'json'].map(kind => el('a.remsim-button', { download: '', hidden: true }, kind.toUpperCase()));
		this.count = el('span.remsim-muted', { role: 'status' });
		this.fresh = el('button.remsim-primary', { type: 'button', click: () => this._showWaiting() });
		this.freshBox = el('div.remsim-fresh', { hidden: true, role: 'status' }, this.fresh);
		this.list = el('div.remsim-days');
		this.none = el('div.remsim-nothing', { hidden: true });
		this.more = el('button', { type: 'button', hidden: true, click: () => this._older() }, t('Show older ones'));
		this.error = el('div.remsim-problem', { role: 'alert', hidden: true });
		fill(this.body, el('div.remsim-toolbar', {}, this.ranges.root, el('span.remsim-export', {}, this.exports)), this.filter.root,
			el('p.remsim-ev-count', {}, this.count), this.error, this.freshBox, el('section.remsim-panel', { 'aria-label': t('Events') }, this.list, this.none, this.more), this._help());
		this._context = { t, options: this.options, store: this.store, opened: () => { if (this._isCalm()) this._showWaiting(); } };
		this._hash = () => { this.filter.follow(); this.ranges.follow(); };
		window.addEventListener('hashchange', this._hash);
	}

	/** What the signs mean, and what is kept. */
	_help() {
		const { t } = this.options;
		return el('details.remsim-panel.remsim-ev-help', {}, el('summary', {}, t('What does this mean?')),
			el('p', {}, Object.entries(KIND_WORDS).filter(([kind]) => markOf(kind)).map(([kind, word]) => `${markOf(kind)} ${t(word)}`).join(' · ')),
			el('p', {}, severityNode('warning', t), ' ', t('something is worse than it should be, and may mend itself.')),
			el('p', {}, severityNode('error', t), ' ', t('something does not work, and the message says what to do.')),
			el('p', {}, t('Events without a severity are for your information: the cell or the technology changed, somebody changed a setting. They are kept for 400 days unless the settings say otherwise; when room is short the oldest go first.')),
			el('p', {}, t('What is shown by the filters is what the files have, all of it, also what is further down.')));
	}

	destroy() {
		this._generation += 1;
		window.removeEventListener('hashchange', this._hash);
		super.destroy();
	}

	changed() {
		this.filter.modems(this.store.list());
		if (!this._asked)
			this.load();
	}

	/** Ask for the newest page of what is wanted now. */
	async load() {
		if (!this.store.loaded)
			return;
		const generation = ++this._generation, { t, request } = this.options, period = this.ranges.period(this.store.now());
		this._asked = { ...this.filter.query, from: Math.floor(period.from), ...(period.live ? {} : { to: Math.ceil(period.to) }) };
		this._isLive = period.live;
		this._waiting = [];
		this.filter.modems(this.store.list());
		try {
			const answer = await request('events', { query: { ...this._asked, limit: PAGE } });
			if (generation !== this._generation)
				return;
			this.error.hidden = true;
			this.rows.clear();
			fill(this.list);
			this._next = answer.next;
			answer.events.forEach(event => this._add(event, false));
			this._waiting = this._waiting.filter(event => !this.rows.has(event.id)); // what came while it was asked for
			this._sum();
		} catch (error) {
			if (generation !== this._generation)
				return;
			this.error.hidden = false;
			fill(this.error, error.hint ? `${error.message} – ${error.hint}` : error.message, ' ', el('button', { type: 'button', click: () => this.load() }, t('Try again')));
		}
	}

	async _older() {
		const generation = this._generation, { request } = this.options;
		this.more.disabled = true;
		try {
			const answer = await request('events', { query: { ...this._asked, limit: PAGE, cursor: this._next } });
			if (generation !== this._generation)
				return;
			this._next = answer.next;
			const rows = answer.events.map(event => this._add(event, false));
			rows.find(Boolean)?.button.focus({ preventScroll: true });
			this._sum();
		} catch (error) {
			this.error.hidden = false;
			fill(this.error, error.message);
		} finally {
			this.more.disabled = false;
		}
	}

	happened(event) {
		if (!this._asked || !this._isLive || this.rows.has(event.id) || !this.filter.fits(event) || epoch(event.at) < this._asked.from || event.id < this._newest())
			return;
		this._waiting.push(event);
		if (this._isCalm())
			this._showWaiting();
		this._sum();
	}

	_newest() {
		return Math.max(0, ...[...this.rows.keys()].slice(0, 1));
	}

	/** Whether new rows may push the others down: nobody has scrolled, opened a row or stands on one. */
	_isCalm() {
		return scrollY < 40 && !this.list.contains(document.activeElement) && ![...this.rows.values()].some(row => row.isOpen);
	}

	_showWaiting() {
		const events = this._waiting.sort((a, b) => a.id - b.id);
		this._waiting = [];
		events.forEach(event => this._add(event, true));
		this._sum();
	}

	_add(event, isNew) {
		if (this.rows.has(event.id))
			return null;
		const row = new EventRow(event, this._context), key = dayOf(epoch(event.at));
		if (isNew)
			this.rows = new Map([[event.id, row], ...this.rows]);
		else
			this.rows.set(event.id, row);
		const edge = isNew ? this.list.firstElementChild : this.list.lastElementChild;
		const day = edge?.dataset.day === key ? edge : this._day(key, isNew);
		day.lastElementChild[isNew ? 'prepend' : 'append'](row.root);
		return row;
	}

	_day(key, isNew) {
		const name = new Intl.DateTimeFormat(this.options.locale || document.documentElement.lang || undefined, { dateStyle: 'full', timeZone: 'UTC' });
		const day = el('div.remsim-day', { 'data-day': key }, el('h2', {}, name.format(Date.parse(key))), el('ol.remsim-events'));
		this.list[isNew ? 'prepend' : 'append'](day);
		return day;
	}

	/** The counts, the ways on, and the files with exactly what is shown. */
	_sum() {
		const { t, apiUrl } = this.options, shown = this.rows.size, waiting = this._waiting.length;
		setText(this.count, !shown ? '' : this._next ? t('the newest %s are shown', shown) : t('%s events', shown));
		this.freshBox.hidden = !waiting;
		setText(this.fresh, waiting ? t('%s new', waiting) : '');
		this.more.hidden = !this._next;
		this.none.hidden = shown > 0;
		if (!shown)
			this._nothing();
		this.exports.forEach((link, at) => {
			const kind = ['csv', 'json'][at], url = apiUrl(`events/export.${kind}`, { to: Math.ceil(this.store.now()), ...this._asked });
			link.hidden = !url;
			if (url)
				link.href = url;
			link.title = t('These events as a file');
		});
	}

	_nothing() {
		const { t } = this.options, isFiltered = Object.keys(this.filter.query).length > 0;
		fill(this.none, el('p', {}, isFiltered ? t('No event of this period fits the filters.') : t('Nothing happened in this period.')),
			el('div.remsim-tools', {}, isFiltered ? el('button', { type: 'button', click: () => this.filter.reset() }, t('Clear filters')) : null,
				this.ranges.range !== '30d' || !this._isLive ? el('button', { type: 'button', click: () => this.ranges.choose('30d') }, t('Look at 30 days')) : null));
	}
}

/** The day of a time as it is shown, `YYYY-MM-DD`. */
function dayOf(epochS) {
	return new Date((epochS - zoneS(epochS)) * 1000).toISOString().slice(0, 10);
}
