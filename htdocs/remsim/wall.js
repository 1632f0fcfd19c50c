/** The wall page: large tiles that need nobody, for a day and longer. Memory is bounded: a store's rings and these tiles. */

import { plain, seed } from './dashboard.js';
import { el, fill, setText } from './dom.js';
import { NONE, bitRate, clock, duration, epoch, moment, number, withUnit } from './format.js';
import { Live } from './live.js';
import { signalBars, sparkline } from './modem-card.js';
import { bars, mainSignal, quality } from './quality.js';
import { Store } from './store.js';
import { followScheme } from './theme.js';
import { bandText, MODE_WORDS, STATE_WORDS, stateLook } from './words.js';

const STALE_S = 4;
const SPARK_S = 600;
const EVENTS = 3;

/** Mount into `node`; `options` as the dashboard's, and `modems` (ids, all when empty), `layout` ('auto' or columns). */
export async function mount(node, options) {
	const wall = new Wall(node, { t: plain, modems: [], layout: 'auto', scheme: 'dark', ...options });
	await wall.live.start();
	return wall;
}

/** Columns that leave the fewest holes on this screen. */
function columnsFor(count) {
	if (innerWidth < innerHeight)
		return count > 4 ? 2 : 1;
	return { 0: 1, 1: 1, 2: 2, 3: 3, 4: 2, 5: 3, 6: 3 }[count] || 4;
}

class Tile {
	constructor(t) {
		this.t = t;
		this.name = el('h2');
		this.state = el('p.remsim-wall-state');
		this.value = el('b.remsim-wall-value');
		this.meaning = el('span.remsim-wall-meaning');
		this.bars = el('span.remsim-wall-bars');
		this.spark = el('div.remsim-wall-spark');
		this.rate = el('span');
		this.latency = el('span');
		this.where = el('span');
		this.since = el('p.remsim-wall-since');
		this.root = el('article.remsim-wall-tile', {},
			el('header', {}, this.name, this.state),
			el('div.remsim-wall-signal', {}, this.value, this.meaning, this.bars),
			this.spark, el('footer', {}, this.where, this.rate, this.latency), this.since);
	}

	update(modem, rows) {
		const t = this.t, r = modem.reading || {};
		const signal = modem.state === 'online' ? mainSignal(modem.reading) : null;
		const word = signal ? quality(signal.measure, signal.value) : null;
		setText(this.name, modem.name);
		setText(this.state, t(STATE_WORDS[modem.state] || modem.state));
		setText(this.value, signal ? withUnit(signal.value, 'dBm') : NONE);
		setText(this.meaning, signal ? `${signal.label}${word ? ` · ${t(word)}` : ''}` : modem.problem || '');
		this.value.className = `remsim-wall-value remsim-quality-${word || 'none'}`;
		fill(this.bars, signal ? signalBars(bars(signal.measure, signal.value), `${number(signal.value)} dBm`) : null);
		fill(this.spark, signal ? sparkline(rows, signal.measure, SPARK_S) : null);
		setText(this.where, [MODE_WORDS[r.mode], bandText(r), r.operator || r.plmn].filter(Boolean).join(' · '));
		setText(this.rate, `↓ ${bitRate(r.rx_bits_per_s)}  ↑ ${bitRate(r.tx_bits_per_s)}`);
		setText(this.latency, `${withUnit(r.latency_ms, 'ms')}  ${withUnit(r.loss_percent, '%')}`);
		this.look = stateLook(modem.state);
	}

	/** Dim what is old and say since when. */
	tick(modem, nowS) {
		const at = modem.reading ? epoch(modem.reading.at) : null;
		const limit = Math.max(STALE_S, 3 * (modem.effective_period_s || modem.period_s || 1));
		const stale = at === null || nowS - at > limit;
		this.root.className = `remsim-wall-tile remsim-wall-${this.look}${stale ? ' remsim-wall-stale' : ''}`;
		setText(this.since, !stale ? '' : at === null ? this.t('nothing read yet') : this.t('no value since %s (%s)', clock(at, true), duration(nowS - at)));
	}
}

class Wall {
	constructor(node, options) {
		this.options = options;
		this.store = new Store();
		this.tiles = new Map();
		const t = options.t;
		this.clock = el('time.remsim-wall-clock');
		this.link = el('span.remsim-wall-link', { role: 'status' });
		this.badge = el('span.remsim-simulated', { hidden: true }, t('SIMULATED'));
		this.grid = el('div.remsim-wall-grid');
		this.events = el('ul.remsim-wall-events');
		this.root = el('div.remsim.remsim-wall', {}, this.grid, el('footer.remsim-wall-foot', {}, this.clock, this.badge, this.link, this.events));
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
			seed(this.store, shown, this.options.request).then(() => shown.forEach(modem => this._reading(modem.id)));
		}
		this.grid.style.setProperty('--remsim-columns', String(Math.min(columns, 8)));
		this.badge.hidden = !this.store.simulated;
		if (!shown.length)
			fill(this.events, el('li', {}, this.options.t('No modem to show.')));
		else
			this._events();
		this._tick();
	}

	_reading(id) {
		const modem = this.store.modems.get(id), tile = this.tiles.get(id);
		if (modem && tile && !document.hidden)
			tile.update(modem, this.store.history.get(id) || []);
	}

	_events() {
		const now = this.store.now();
		fill(this.events, this.store.events.slice(0, EVENTS).map(event => el('li', {}, el('time', {}, moment(epoch(event.at), now)), ' ', event.message)));
	}

	_tick() {
		const now = this.store.now(), t = this.options.t, { mode, since } = this.store.link;
		setText(this.clock, clock(now));
		for (const modem of this._shown()) {
			const tile = this.tiles.get(modem.id);
			if (tile)
				tile.tick(modem, now);
		}
		setText(this.link, mode === 'reconnecting' ? t('no connection for %s, trying again', duration(Date.now() / 1000 - since)) : '');
	}
}
