/** One modem for those who stand far away: its signal in huge figures, what it carries, since when there is no value. */

import { el, fill, setText } from './dom.js';
import { NONE, bitRate, clock, duration, epoch, number, withUnit } from './format.js';
import { signalBars, sparkline } from './modem-card.js';
import { bars, mainSignal, quality } from './quality.js';
import { MODE_WORDS, STATE_WORDS, bandText, stateLook } from './words.js';

const STALE_S = 4;
export const SPARK_S = 600;
const SPARK_ROUNDS = 20;

export class Tile {
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
