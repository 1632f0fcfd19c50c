/**
 * A layout on a wall: its pages one after the other, nothing scrolls, dimmed at night. It needs nobody for weeks: charts
 * of pages that are not seen rest, and all rings are bounded.
 */

import { Board } from './dashboard-board.js';
import { heightOf, inOrder } from './dashboard-grid.js';
import { gridOf } from './dashboard-page.js';
import { builtIn, usable, CHARTS } from './dashboard-widgets.js';
import { el, fill, setText } from './dom.js';
import { clock, duration } from './format.js';
import { Live } from './live.js';
import { Store } from './store.js';
import { followScheme } from './theme.js';

const HISTORY = 900;
const AGAIN_MS = 15000;
const HANDS_MS = 4000;
const NARROW_PX = 640;
const LEAST_ROW_EM = 1.6;

/** A reading's values that a widget may draw later; the last one is kept whole by its modem. */
const KEPT = [...new Set(['rscp_dbm', ...Object.values(CHARTS).flatMap(chart => chart.lines.map(([measure]) => measure))])];
const kept = reading => Object.fromEntries(KEPT.map(name => [name, reading[name]]));

/** Whether a time of day (`21:05`) is in the night between two; false without ends. Nights go over midnight. */
export function isNight(now, from, to) {
	if (!from || !to || from === to)
		return false;
	return from < to ? now >= from && now < to : now >= from || now < to;
}

/** A page as several that are `rows` high at most, so that what turns can be read; only a higher widget makes a higher one. */
export function turning({ title, widgets }, rows) {
	const pages = [];
	let from = 0;
	for (const widget of heightOf(widgets) > rows ? inOrder(widgets) : []) {
		if (!pages.length || widget.y + widget.h - from > rows) {
			from = widget.y;
			pages.push({ title, widgets: [] });
		}
		pages[pages.length - 1].widgets.push({ ...widget, y: widget.y - from });
	}
	return pages.length ? pages : [{ title, widgets }];
}

export class LayoutWall {
	constructor(node, options) {
		const { t } = options;
		this.options = options;
		this.store = new Store({ history: HISTORY, keep: kept });
		options.refresh = () => this.live.refresh();
		this.board = new Board({ store: this.store, options: { ...options, readonly: true } });
		this.page = 0;
		this.pages = [];
		this.isHeld = false;
		this.clock = el('time.remsim-wall-clock');
		this.link = el('span.remsim-wall-link', { role: 'status' });
		this.badge = el('span.remsim-simulated', { hidden: true }, t('SIMULATED'));
		this.where = el('span.remsim-wall-where');
		this.hold = el('button', { type: 'button', 'aria-pressed': 'false', click: () => this._hold() }, t('Stop here'));
		this.full = el('button', { type: 'button', click: () => this._full() }, t('Full screen'));
		this.turns = [el('button', { type: 'button', 'aria-label': t('Page before'), click: () => this.turn(-1) }, '‹'), el('button', { type: 'button', 'aria-label': t('Next page'), click: () => this.turn(1) }, '›')];
		this.hands = el('span.remsim-wall-hands', {}, this.turns, this.hold, this.full);
		this.place = el('div.remsim-wall-pages');
		this.said = el('p.remsim-wall-nothing', { hidden: true, role: 'status' });
		this.root = el('div.remsim.remsim-wall.remsim-wall-layout', { pointermove: () => this._seen(), pointerdown: () => this._seen() },
			this.place, this.said, el('div.remsim-wall-foot', {}, this.clock, this.badge, this.link, this.where, this.hands));
		fill(node, this.root);
		this.live = new Live(this.store, options);
		this._stop = [
			this.store.on('state', () => this._state()),
			this.store.on('reading', reading => { if (!document.hidden) this.board.tell('reading', reading); }),
			this.store.on('event', event => this.board.happened(event)),
			followScheme(this.root, options.scheme, () => this.board.tell('recolour'))
		];
		this._key = event => { if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') this.turn(event.key === 'ArrowRight' ? 1 : -1); };
		document.addEventListener('keydown', this._key);
		this._narrow = matchMedia(`(max-width: ${NARROW_PX}px)`);
		this._fits = () => { this.place.dataset.columns = this._narrow.matches ? '1' : '12'; };
		this._narrow.addEventListener('change', this._fits);
		this._fits();
		this._timer = setInterval(() => this._tick(), 1000);
	}

	async start() {
		const read = this._read();
		await this.live.start();
		await read;
	}

	pause() { this.live.pause(); }
	resume() { this.live.resume(); }

	destroy() {
		this._isOver = true;
		clearInterval(this._timer);
		clearTimeout(this._again);
		clearTimeout(this._handsTimer);
		document.removeEventListener('keydown', this._key);
		this._narrow.removeEventListener('change', this._fits);
		this.live.destroy();
		this._stop.forEach(stop => stop());
		this.board.destroy();
		this.root.remove();
	}

	/** The layout of the address. A wall has nobody to press reload: what fails is tried again. */
	async _read() {
		const { t, request, layout: name } = this.options;
		try {
			const found = await request(`layouts/${encodeURIComponent(name)}`);
			if (this._isOver)
				return;
			this._say('');
			this._build(usable(found.layout || builtIn(innerWidth)));
		} catch (error) {
			this._say([t('The layout %s cannot be shown: %s', name, error.message), error.hint].filter(Boolean).join(' – '));
			if (!this._isOver)
				this._again = setTimeout(() => this._read(), AGAIN_MS);
		}
	}

	_say(text) {
		this.said.hidden = !text;
		setText(this.said, text);
	}

	_build(layout) {
		this.layout = layout;
		const rows = this.place.clientHeight / (LEAST_ROW_EM * parseFloat(getComputedStyle(this.root).fontSize));
		const pages = layout.wall.rotate_s ? layout.pages.flatMap(page => turning(page, rows)) : layout.pages;
		this.pages = pages.map(page => {
			const { grid } = gridOf(this.board, page.widgets);
			grid.classList.add('remsim-wall-board');
			grid.style.setProperty('--remsim-rows', String(Math.max(1, heightOf(page.widgets))));
			return { grid, title: page.title };
		});
		fill(this.place, this.pages.map(page => page.grid));
		const isAlone = this.pages.length < 2;
		[...this.turns, this.hold].forEach(button => { button.hidden = isAlone; });
		this.hold.hidden = isAlone || !layout.wall.rotate_s;
		this.turn(0);
	}

	/** Show the next page (1), the one before (-1) or this one (0). Charts of hidden pages are not near, so they rest. */
	turn(by) {
		const { length } = this.pages, t = this.options.t;
		if (!length)
			return;
		this.page = (this.page + by + length) % length;
		this.pages.forEach(({ grid }, at) => { grid.hidden = at !== this.page; });
		const { title } = this.pages[this.page];
		setText(this.where, length > 1 ? [title, t('%s of %s', this.page + 1, length)].filter(Boolean).join(' · ') : title);
		this._turnedAt = Date.now();
	}

	_hold() {
		this.isHeld = !this.isHeld;
		this.hold.setAttribute('aria-pressed', String(this.isHeld));
	}

	_full() {
		if (document.fullscreenElement)
			document.exitFullscreen();
		else
			this.root.requestFullscreen?.().catch(() => {});
	}

	/** The buttons are there while somebody moves. */
	_seen() {
		this.root.classList.add('remsim-wall-touched');
		clearTimeout(this._handsTimer);
		this._handsTimer = setTimeout(() => this.root.classList.remove('remsim-wall-touched'), HANDS_MS);
	}

	_state() {
		this.board.tell('state');
		this.badge.hidden = !this.store.simulated;
		const known = this.store.list().map(modem => modem.id).join();
		if (known !== this._known || this._wasLost) {
			this._known = known;
			this._wasLost = false;
			this.board.reload();
		}
	}

	_tick() {
		const now = this.store.now(), { t, login } = this.options, { mode, since, error } = this.store.link, wall = this.layout?.wall;
		setText(this.clock, clock(now));
		const lost = { reconnecting: () => t('no connection for %s, trying again', duration(Date.now() / 1000 - since)), refused: () => t('not logged in any more: %s', t(login || error)) }[mode];
		setText(this.link, lost ? lost() : '');
		this._wasLost ||= this.store.isCutOff();
		this.root.classList.toggle('remsim-cut-off', this.store.isCutOff());
		this.root.classList.toggle('remsim-wall-dimmed', !!wall && isNight(clock(now), wall.dim_from, wall.dim_to));
		if (wall?.rotate_s && !this.isHeld && Date.now() - this._turnedAt >= wall.rotate_s * 1000 && this.pages.length > 1)
			this.turn(1);
		if (!document.hidden)
			this.board.tell('tick');
	}
}
