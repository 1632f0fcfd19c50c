/** The wall page: large tiles that need nobody, for a day and longer. Memory is bounded: a store's rings and these tiles. */

import { markOf } from './charts.js';
import { seed } from './dashboard.js';
import { el, fill, setText } from './dom.js';
import { NONE, bitRate, clock, duration, epoch, moment, number, withUnit } from './format.js';
import { Live } from './live.js';
import { signalBars, sparkline } from './modem-card.js';
import { bars, mainSignal, quality } from './quality.js';
import { Store } from './store.js';
import { followScheme } from './theme.js';
import { bandText, MODE_WORDS, STATE_WORDS, plain, stateLook } from './words.js';

const STALE_S = 4;
const SPARK_S = 600;
const SPARK_ROUNDS = 20;
const EVENTS = 3;

/** Mount into `node`; `options` as the dashboard's, and `query` {modems (ids, all when empty), layout ('auto' or columns), scheme}. */
export async function mount(node, options) {
	const { modems = '', layout = 'auto', scheme = 'dark' } = options.query || {};
	const wall = new Wall(node, { t: plain, modems: modems.split(',').filter(Boolean), layout, scheme, ...options });
	await wall.live.start();
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

class Tile {
	constructor(t) {
		this.t = t;
		this.name = el('h2');
		this.state = el('p.remsim-wall-state');
		this.value = el('b.remsim-wall-value');
		this.meaning = el('span.remsim-wall-meaning');
		this.bars = el('span.remsim-wall-bars');
		this.problem = el('p.remsim-wall-problem-text');
		this.spark = el('div.remsim-wall-spark');
		this.scale = el('p.remsim-wall-scale');
		this.rate = el('span');
		this.latency = el('span');
		this.where = el('span');
		this.operator = el('span');
		this.since = el('p.remsim-wall-since');
		this.root = el('article.remsim-wall-tile', {},
			el('header', {}, this.name, this.state),
			el('div.remsim-wall-signal', {}, this.value, this.meaning, this.bars),
			this.problem, this.spark, this.scale, el('footer', {}, this.where, this.operator, this.rate, this.latency), this.since);
	}

	update(modem, rows) {
		const t = this.t, r = modem.reading || {};
		const signal = mainSignal(modem.reading), period = modem.period_s || 1;
		const seconds = Math.max(SPARK_S, SPARK_ROUNDS * period);
		const word = signal ? quality(signal.measure, signal.value) : null;
		setText(this.name, modem.name);
		setText(this.state, t(STATE_WORDS[modem.state] || modem.state));
		setText(this.value, signal ? withUnit(signal.value, 'dBm') : NONE);
		setText(this.meaning, signal ? `${signal.label}${word ? ` · ${t(word)}` : ''}` : '');
		setText(this.problem, modem.problem || '');
		this.value.className = `remsim-wall-value remsim-quality-${word || 'none'}`;
		fill(this.bars, signal ? signalBars(bars(signal.measure, signal.value), `${number(signal.value)} dBm`) : null);
		fill(this.spark, signal ? sparkline(rows, signal.measure, seconds, period) : null);
		setText(this.scale, signal ? this._scale(rows, signal.measure, seconds) : '');
		setText(this.where, [MODE_WORDS[r.mode], bandText(r)].filter(Boolean).join(' · '));
		setText(this.operator, r.operator || r.plmn || '');
		setText(this.rate, `↓ ${bitRate(r.rx_bits_per_s)}  ↑ ${bitRate(r.tx_bits_per_s)}`);
		setText(this.latency, t('%s · %s loss', withUnit(r.latency_ms, 'ms'), withUnit(r.loss_percent, '%')));
		this.look = stateLook(modem.state);
	}

	/** What the line spans, in words. */
	_scale(rows, measure, seconds) {
		const from = rows.length ? rows[rows.length - 1].t - seconds : 0;
		const values = rows.filter(row => row.t > from).map(row => row.reading[measure]).filter(value => value !== null && value !== undefined);
		return values.length ? this.t('%s: %s to %s', duration(seconds), number(Math.min(...values)), withUnit(Math.max(...values), 'dBm')) : '';
	}

	/** Dim what is old and say since when; nothing is fresh while the router cannot be heard. */
	tick(modem, nowS, isCutOff) {
		const at = modem.reading ? epoch(modem.reading.at) : null;
		const limit = Math.max(STALE_S, 3 * (modem.effective_period_s || modem.period_s || 1));
		const stale = at === null || nowS - at > limit || isCutOff;
		this.root.className = `remsim-wall-tile remsim-wall-${this.look}${stale ? ' remsim-wall-stale' : ''}`;
		setText(this.since, !stale ? '' : at === null ? this.t('nothing read yet') : this.t('no value since %s (%s)', clock(at, true), duration(nowS - at)));
	}
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
