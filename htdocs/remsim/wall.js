/** The wall page: large tiles that need nobody, or any layout, for a day and longer. Memory is bounded: a store's rings and these tiles. */

import { markOf } from './chart-marks.js';
import { el, fill, setText } from './dom.js';
import { clock, duration, epoch, moment } from './format.js';
import { Live } from './live.js';
import { seed } from './seed.js';
import { Store } from './store.js';
import { followScheme } from './theme.js';
import { SPARK_S, Tile } from './wall-tile.js';
import { plain } from './words.js';

const EVENTS = 3;

/**
 * Mount into `node`; `options` as the dashboard's, and `query` {layout (the name of a layout; or 'auto' or a number of
 * columns: tiles of all modems), modems (ids for the tiles, all when empty), scheme}.
 */
export async function mount(node, options) {
	const { modems = '', layout = 'auto', scheme = 'dark' } = options.query || {};
	const asked = { t: plain, exportUrl: () => null, links: {}, modems: modems.split(',').filter(Boolean), layout, scheme, ...options };
	const isTiles = layout === 'auto' || /^\d+$/.test(layout);
	const wall = isTiles ? new Wall(node, asked) : new (await import('./wall-layout.js')).LayoutWall(node, asked);
	await wall.start();
	return wall;
}

/** Columns that leave the fewest holes on this screen. */
function columnsFor(count) {
	if (innerWidth < innerHeight)
		return count > 4 ? 2 : 1;
	return { 0: 1, 1: 1, 2: 2, 3: 3, 4: 2, 5: 3, 6: 3 }[count] || 4;
}

/** A wall draws nothing but the signal: nothing else of the last minutes is kept. */
function onlySignal({ rsrp_dbm, nr_rsrp_dbm, rssi_dbm, rscp_dbm }) {
	return { rsrp_dbm, nr_rsrp_dbm, rssi_dbm, rscp_dbm };
}

class Wall {
	constructor(node, options) {
		this.options = options;
		this.store = new Store({ history: SPARK_S, keep: onlySignal });
		this.tiles = new Map();
		const t = options.t;
		this.clock = el('time.remsim-wall-clock');
		this.link = el('span.remsim-wall-link', { role: 'status' });
		this.badge = el('span.remsim-simulated', { hidden: true }, t('SIMULATED'));
		this.nothing = el('p.remsim-wall-nothing', { hidden: true });
		this.grid = el('div.remsim-wall-grid', {}, this.nothing);
		this.events = el('ul.remsim-wall-events');
		this.root = el('div.remsim.remsim-wall', {}, el('h1.remsim-said', {}, t('Modems')), this.grid, el('footer.remsim-wall-foot', {}, this.clock, this.badge, this.link, this.events));
		fill(node, this.root);
		this.live = new Live(this.store, options);
		this._stop = [
			this.store.on('state', () => this._state()),
			this.store.on('reading', reading => this._reading(reading.modem)),
			this.store.on('event', () => this._events()),
			followScheme(this.root, options.scheme, () => {})
		];
		this._timer = setInterval(() => this._tick(), 1000);
	}

	start() {
		return this.live.start();
	}

	destroy() {
		clearInterval(this._timer);
		this.live.destroy();
		this._stop.forEach(stop => stop());
		this.root.remove();
	}

	_shown() {
		const wanted = this.options.modems;
		return this.store.list().filter(modem => !wanted.length || wanted.includes(modem.id) || wanted.includes(modem.name));
	}

	_state() {
		const shown = this._shown(), ids = new Set(shown.map(modem => modem.id));
		for (const [id, tile] of this.tiles) {
			if (!ids.has(id)) {
				tile.root.remove();
				this.tiles.delete(id);
			}
		}
		for (const modem of shown) {
			if (!this.tiles.has(modem.id)) {
				const tile = new Tile(this.options.t);
				this.tiles.set(modem.id, tile);
				this.grid.appendChild(tile.root);
			}
			this._reading(modem.id);
		}
		const columns = Number(this.options.layout) || columnsFor(shown.length);
		if (!this._seeded && shown.length) {
			this._seeded = true;
			seed(this.store, shown, this.options.request, SPARK_S).then(() => shown.forEach(modem => this._reading(modem.id)));
		}
		this.grid.style.setProperty('--remsim-columns', String(Math.min(columns, 8)));
		this.badge.hidden = !this.store.simulated;
		this.nothing.hidden = shown.length > 0;
		setText(this.nothing, shown.length ? '' : this._whyNothing());
		this._events();
		this._tick();
	}

	_whyNothing() {
		const t = this.options.t, there = this.store.list().map(modem => modem.id).join(', ');
		return there ? t('No modem is called %s. There are: %s.', this.options.modems.join(', '), there)
			: t('No modem was found. One shows up here within two seconds of being plugged in.');
	}

	_reading(id) {
		const modem = this.store.modems.get(id), tile = this.tiles.get(id);
		if (modem && tile && !document.hidden)
			tile.update(modem, this.store.history.get(id) || []);
	}

	_events() {
		const now = this.store.now();
		fill(this.events, this.store.events.slice(0, EVENTS).map(event => el('li', {}, el('time', {}, moment(epoch(event.at), now, false)), ` ${markOf(event.kind) || '·'} ${event.message}`)));
	}

	_tick() {
		const now = this.store.now(), t = this.options.t, { mode, since, error } = this.store.link;
		setText(this.clock, clock(now));
		for (const modem of this._shown()) {
			const tile = this.tiles.get(modem.id);
			if (tile)
				tile.tick(modem, now, this.store.isCutOff());
		}
		const lost = { reconnecting: () => t('no connection for %s, trying again', duration(Date.now() / 1000 - since)), refused: () => t('not logged in any more: %s', t(this.options.login || error)) }[mode];
		setText(this.link, lost ? lost() : '');
		this.root.classList.toggle('remsim-cut-off', this.store.isCutOff());
	}
}
