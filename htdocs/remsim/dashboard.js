/** The dashboard: widgets as the user, or whoever runs the router, has arranged them, live and over one period. */

import './widget-cards.js';
import './widget-chart.js';
import './widget-events.js';
import './widget-timelines.js';
import { loadChartJs } from './chart-library.js';
import { Board } from './dashboard-board.js';
import { PageView } from './dashboard-page.js';
import { builtIn, usable } from './dashboard-widgets.js';
import { el, fill, setText } from './dom.js';
import { download } from './download.js';
import { EventsList } from './events-list.js';
import { bitRate, number } from './format.js';
import { Frame } from './frame.js';
import { RangeBar } from './range-bar.js';
import { plain } from './words.js';

export { plain };

const GONE_S = 900;

/**
 * Mount the dashboard into `node`.
 *
 * `options`: request(path, {method, query, body}) -> Promise of JSON below /api/v1/, streamUrl(lastId) -> Promise of a URL
 * or null, t(text, ...values) -> translated text, exportUrl(kind, query) -> URL or null, links {wall, page(name), modem(id, tab)}, title, login (what to do when not logged in any more), scheme
 * ('auto', 'light', 'dark'), readonly, pollMs. Returns {destroy, pause, resume, isWaiting}.
 */
export async function mount(node, options) {
	const dashboard = new Dashboard(node, options);
	await dashboard.start();
	return dashboard;
}

class Dashboard extends Frame {
	constructor(node, options) {
		super(node, options, 'remsim-dashboard');
		const { t, links } = this.options;
		this.page = 0;
		this.rates = el('span.remsim-rates');
		this.job = el('div.remsim-job', { hidden: true, role: 'status' });
		this.notice = el('p.remsim-notice', { role: 'status', hidden: true });
		this.nothing = el('div.remsim-nothing', { hidden: true });
		this.guide = el('p.remsim-help', { hidden: true }, links.page ? [t('No modem is online.'), ' ', el('a', { href: links.page('start') }, t('First start, step by step'))] : null);
		this.tabs = el('div.remsim-boardtabs', { role: 'group', 'aria-label': t('Pages'), hidden: true });
		this.place = el('div.remsim-boardplace');
		this.arrange = el('button', { type: 'button', hidden: !!this.options.readonly, click: () => this._edit() }, t('Arrange'));
		this.ranges = new RangeBar(t, () => this._moved());
		this.compare = el('select', { 'aria-label': t('Modems in the charts'), change: () => this.ranges.chooseModem(this.compare.value || null) });
		this.exportBox = el('span.remsim-export');
		this.toolbar = el('div.remsim-toolbar', {}, this.ranges.root, this.compare, this.exportBox);
		this.board = new Board({ store: this.store, options: this.options, ranges: this.ranges });
		Object.assign(this.board.group, {
			onZoom: (from, to) => this.ranges.zoom(from, to),
			onWhole: () => this.ranges.choose(this.ranges.range),
			onEvent: event => this._open(event)
		});
		const { readonly, throughLuci } = this.options, head = this.root.querySelector('.remsim-head');
		const wall = links.wall && !(throughLuci && readonly); // there it only makes links
		this.summary.after(this.rates);
		head.append(el('span.remsim-links', {}, wall ? el('button', { type: 'button', click: () => this._wall() }, t('Wall …')) : null, this.arrange));
		fill(this.body, this.job, this.notice, this.guide, this.nothing, this.tabs, this.place);
		this.root.addEventListener('pointerdown', pointer => this._pressed(pointer));
		this._followHash = () => { this._showHash(); this.ranges.follow(); };
		window.addEventListener('hashchange', this._followHash);
		this._width = new ResizeObserver(([{ contentRect }]) => this._fits(contentRect.width));
		this._width.observe(this.place);
	}

	async start() {
		this._asked = this._readLayout();
		await super.start();
	}

	destroy() {
		window.removeEventListener('hashchange', this._followHash);
		this._width.disconnect();
		this._isOver = true;
		this.editor?.destroy();
		this.view?.destroy();
		this.board.destroy();
		super.destroy();
	}

	/** The layout to show: that of the address, else the user's; what cannot be had is said, and the page's own is shown. */
	async _readLayout() {
		const t = this.options.t, name = this._address().get('layout') || 'mine';
		let found = { name: 'built-in', layout: null };
		this.tell(null);
		try {
			found = await this.options.request(`layouts/${encodeURIComponent(name)}`);
		} catch (error) {
			this._unread = !error.status; // the router did not answer: once more when it does
			if (error.status)
				this.tell(t('The layout cannot be shown: %s', [error.message, error.hint].filter(Boolean).join(' – ')));
		}
		this.layoutName = found.name;
		this.layout = found.layout ? usable(found.layout) : null;
	}

	_address() {
		return new URLSearchParams(location.hash.slice(1));
	}

	/** The address tells which page is shown, and of which layout where it is another than the user's. */
	address(name, page) {
		const address = this._address();
		address.set('page', page + 1);
		address.delete('layout');
		if (name !== 'mine' && name !== 'default')
			address.set('layout', name);
		history.replaceState(null, '', `#${address}`);
	}

	/** Say something about the layout; null: nothing. */
	tell(text) {
		this.notice.hidden = !text;
		setText(this.notice, text || '');
	}

	changed() {
		const modems = this.store.list();
		this._choices(modems);
		this._online(modems);
		this._empty(modems);
		this._guide(modems);
		for (const job of this.store.jobs.values())
			this.worked(job);
		if (this._unread) {
			this._unread = false;
			this._asked = this._readLayout().then(() => { if (!this.editor && this.view) this.show(); });
		}
		if (!this.view && !this.editor)
			this._first ??= this._asked.then(() => this.show());
		this.board.tell('state');
		const known = modems.map(modem => modem.id).join();
		if (known && known !== this._known) {
			this._known = known;
			this._moved();
		}
	}

	/** Show the layout: its page, and tabs where there are several. */
	show() {
		if (this._isOver)
			return;
		const t = this.options.t, width = this.place.clientWidth || innerWidth;
		const shown = this.layout || builtIn(width);
		this._fits(width);
		this._showHash(false);
		this.page = Math.min(this.page, shown.pages.length - 1);
		this.tabs.hidden = shown.pages.length < 2;
		fill(this.tabs, shown.pages.map((page, at) => el('button', {
			type: 'button', 'aria-pressed': String(at === this.page), click: () => this._turn(at)
		}, page.title || t('Page %s', at + 1))));
		this.view?.destroy();
		this.view = new PageView(this.board, shown.pages[this.page], this.toolbar);
		fill(this.place, this.view.root);
		this._exports();
	}

	/** The layout as it is shown now, for whoever wants to arrange it. */
	get current() {
		return this.layout || builtIn(this.place.clientWidth || innerWidth);
	}

	_turn(page) {
		const address = this._address();
		address.set('page', page + 1);
		history.replaceState(null, '', `#${address}`);
		this.page = page;
		this.show();
		this.tabs.children[page].focus();
	}

	_showHash(isOwn = true) {
		const address = this._address(), page = Math.max(0, (Number(address.get('page')) || 1) - 1);
		const isOther = page !== this.page && page < this.current.pages.length;
		if (isOther)
			this.page = page;
		if (isOwn && !this.editor && isOther && this.view)
			this.show();
	}

	/** Another period or modem: the select says so, charts ask anew. */
	_moved() {
		this.compare.value = this.board.focus || '';
		this._exports();
		this.board.reload();
	}

	/** Columns that there is room for; the phone's one is in reading order. */
	_fits(width) {
		this.place.dataset.columns = width <= 640 ? '1' : width <= 900 ? '2' : '12';
		this.editor?.resized();
	}

	async _edit() {
		this.arrange.disabled = true;
		try {
			const { Editor } = await import('./dashboard-edit.js');
			if (this._isOver)
				return;
			this.view?.destroy();
			this.view = null;
			this._first = null;
			this.tabs.hidden = true;
			this.arrange.hidden = true;
			this.editor = new Editor(this);
		} catch (error) {
			this.tell(error.message);
		} finally {
			this.arrange.disabled = false;
		}
	}

	async _wall() {
		try {
			const { openWallLink } = await import('./wall-link.js');
			await openWallLink(this.root, this.options, this.layoutName);
		} catch (error) {
			this.tell(error.message);
		}
	}

	/** The editor is done; `found` {name, layout} is what is to be shown from now on, undefined: what was there before. */
	edited(found) {
		this.editor = null;
		this.arrange.hidden = false;
		if (found) {
			this.layoutName = found.name;
			this.layout = found.layout ? usable(found.layout) : null;
			this.tell(null);
		}
		this.show();
		this.arrange.focus();
	}

	/** The cursor that a finger left on the charts goes with a touch beside them. */
	_pressed(pointer) {
		if (!pointer.target.closest('.remsim-canvas, .remsim-band'))
			this.board.group.setCursor(null);
	}

	/** An event of a mark: in the list of the page, or beside it where there is none. */
	_open(event) {
		const list = [...this.board.widgets].find(made => made.open);
		if (list) {
			list.open(event);
			return;
		}
		if (!this._sheet) {
			this._sheet = new EventsList(this.store, this.options, (from, to) => this.ranges.zoom(from, to));
			this.root.append(this._sheet.detail);
		}
		this._sheet.open(event);
	}

	_online(modems) {
		const t = this.options.t, online = modems.filter(modem => modem.state === 'online');
		const sum = name => online.reduce((total, modem) => total + ((modem.reading && modem.reading[name]) || 0), 0);
		setText(this.summary, modems.length ? t('%s of %s online', online.length, modems.length) : t('No modem'));
		setText(this.rates, online.length ? `↓ ${bitRate(sum('rx_bits_per_s'))}  ↑ ${bitRate(sum('tx_bits_per_s'))}` : '');
	}

	_empty(modems) {
		const t = this.options.t, { links } = this.options;
		this.root.classList.toggle('remsim-no-modems', !modems.length);
		this.nothing.hidden = modems.length > 0;
		if (modems.length)
			return;
		loadChartJs().catch(() => {}); // ready for the modem that will be plugged in
		if (!this.nothing.firstChild)
			fill(this.nothing, el('h3', {}, t('No modem was found.')),
				el('p', {}, t('Looked for Quectel, Sierra Wireless and Fibocom modems on USB. Check cable and power; on OpenWrt install kmod-usb-serial-option and kmod-usb-net-qmi-wwan. A modem shows up here within two seconds of being plugged in.')),
				links.modems ? el('p', {}, el('a', { href: links.modems }, t('See what is on USB, with a text for a report'))) : null);
	}

	/** Who has no modem online yet is shown the way. */
	_guide(modems) {
		this.guide.hidden = !this.guide.firstChild || !modems.length || modems.some(modem => modem.state === 'online');
	}

	_choices(modems) {
		const wanted = ['', ...modems.map(modem => modem.id)];
		if ([...this.compare.options].map(option => option.value).join() !== wanted.join())
			fill(this.compare, el('option', { value: '' }, this.options.t('compare all')), modems.map(modem => el('option', { value: modem.id }, modem.name)));
		this.compare.value = this.board.focus || '';
	}

	_exports() {
		const { t, exportUrl } = this.options, period = this.ranges.period(this.store.now());
		const query = { modem: this.board.focus, ...(period.name ? { range: period.name } : { from: period.from, to: period.to }) };
		for (const kind of ['csv', 'json'])
			download(this.exportBox, 'a.remsim-button', exportUrl(kind, query), t('Export %s', kind.toUpperCase()));
	}

	heard(reading) {
		if (document.hidden || !this.store.modems.has(reading.modem))
			return;
		this._online(this.store.list());
		this.board.tell('reading', reading);
	}

	happened(event) {
		this.board.happened(event);
	}

	worked(job) {
		const t = this.options.t;
		this.board.tell('job', job);
		if (job.kind !== 'backfill')
			return;
		this.job.hidden = job.state !== 'running';
		if (job.state === 'running')
			fill(this.job, t('Writing a simulated history: %s %', number((job.progress || 0) * 100)), el('progress', { max: 1, value: job.progress || 0, 'aria-label': t('Progress') }));
		else if (job.state === 'done' && this._backfilling) {
			this.board.reload();
			this.live.refresh().catch(() => {});
		}
		this._backfilling = job.state === 'running';
	}

	recolour() {
		this.board?.tell('recolour');
	}

	tick() {
		this.board.tell('tick');
	}

	/** Back after a while: what was live is not whole any more. */
	resume() {
		super.resume();
		if (Date.now() / 1000 - this._pausedAt > GONE_S)
			this.board.reload();
	}

	pause() {
		super.pause();
		this._pausedAt = Date.now() / 1000;
	}
}
