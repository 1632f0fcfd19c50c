/** One modem at a glance: state in words, signal with its meaning, what it carries, how old the values are. */

import { el, fill, setText, svg } from './dom.js';
import { NONE, bitRates, cellName, count, duration, epoch, number, sizes, withUnit } from './format.js';
import { bars, mainSignal, quality } from './quality.js';
import { STATE_WORDS, VENDOR_WORDS, msg, stateLook, stateSentence } from './words.js';

const SPARK_S = 120;
const SPARK_ROUNDS = 20;
const GAP_S = 10;
const NOW_S = 3;
const WHY_MS = 8000;
const PERIODS = [1, 2, 5, 10, 30, 60];
const FAULTS = [
	['unplug', msg('Unplug')], ['plug', msg('Plug in')], ['reboot', msg('Reboot')], ['silence', msg('Fall silent')], ['garbage', msg('Send garbage')],
	['slow', msg('Answer slowly')], ['sim_removed', msg('Take the SIM out')], ['registration_denied', msg('Be refused')], ['clear', msg('Undo all')]
];

/** Four bars with a text for screen readers. */
export function signalBars(level, label) {
	const parts = [0, 1, 2, 3].map(at => svg('rect', {
		x: at * 6, y: 12 - (at + 1) * 3, width: 4, height: (at + 1) * 3, rx: 1, class: at < level ? 'remsim-bar-on' : 'remsim-bar-off'
	}));
	return svg('svg', { viewBox: '0 0 22 12', class: `remsim-bars remsim-bars-${level}`, role: 'img', 'aria-label': label }, parts);
}

/** What is being done to a modem, in words; empty when nothing is. */
export function operationText(modem, jobs, t) {
	const job = [...jobs].reverse().find(one => one.modem === modem.id && ['running', 'confirming'].includes(one.state));
	if (!job)
		return modem.operation ? `${modem.operation} …` : '';
	const step = job.state === 'confirming' ? t('waiting for a confirmation') : job.step && t(job.step);
	return `${job.title ? t(job.title) : job.kind}${step ? `: ${step}` : ' …'}`;
}

/** The line of the last minutes of a modem asked every `periodS`; gaps stay gaps. */
export function sparkline(rows, measure, seconds = SPARK_S, periodS = 1) {
	const gapS = Math.max(GAP_S, 3 * periodS);
	const last = rows.length ? rows[rows.length - 1].t : 0;
	const shown = rows.filter(row => row.t > last - seconds);
	const values = shown.map(row => row.reading[measure]).filter(value => value !== null && value !== undefined);
	const low = Math.min(...values), high = Math.max(...values), span = Math.max(high - low, 6), middle = (low + high) / 2;
	let path = '', pen = false, before = null;
	for (const row of shown) {
		const value = row.reading[measure];
		if (value === null || value === undefined || (before !== null && row.t - before > gapS))
			pen = false;
		if (value !== null && value !== undefined) {
			const x = (row.t - last + seconds) / seconds * 100, y = 12 - (value - middle) / span * 20;
			path += `${pen ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
			pen = true;
		}
		before = row.t;
	}
	return svg('svg', { viewBox: '0 0 100 24', preserveAspectRatio: 'none', class: 'remsim-spark', 'aria-hidden': 'true' }, svg('path', { d: path }));
}

/** Whether a bank serves the modem its SIM; nothing where it has no remote one. */
export function showRemote(node, reading, t) {
	const share = reading?.bankd_link_percent;
	node.hidden = !Number.isFinite(share);
	node.className = `remsim-remote${share ? '' : ' remsim-remote-lost'}`;
	setText(node, node.hidden ? '' : share ? t('remote SIM') : t('✕ remote SIM'));
}

export class ModemCard {
	/** `options` of dashboard.js; `store` for history and the router's time. */
	constructor(modem, store, options) {
		this._store = store;
		this._options = options;
		const t = options.t;
		this.root = el('article.remsim-card', { tabindex: '-1' });
		const link = options.links?.modem;
		this.name = link ? el('a', { href: link(modem.id, 'signal') }) : el('span');
		this.bars = el('span.remsim-barbox');
		this.remote = el('span.remsim-remote', { hidden: true });
		this.state = el('p.remsim-state');
		this.said = el('p.remsim-said', { 'aria-live': 'polite' });
		this.problem = el('p.remsim-problem', { hidden: true });
		this.doing = el('p.remsim-doing', { hidden: true, role: 'status' });
		this.signal = el('p.remsim-signal');
		this.spark = el('div.remsim-spark-line');
		this.facts = el('dl.remsim-facts');
		this._rows = new Map();
		this.age = el('span.remsim-age');
		this.commands = el('p.remsim-commands');
		this.period = el('select', { 'aria-label': t('Polling period'), change: () => this._setPeriod() },
			PERIODS.map(period => el('option', { value: period }, t('every %s s', period))), el('option', { value: 'off' }, t('off')));
		this.message = el('p.remsim-problem', { hidden: true, role: 'alert' });
		this.why = el('p.remsim-whybox', { hidden: true, role: 'status', click: () => { this.why.hidden = true; } });
		this.faults = this._faultMenu();
		this.root.append(
			el('header', {}, el('h3', {}, this.name), this.remote, this.bars), this.state, this.said, el('div.remsim-signal-row', {}, this.signal, this.age), el('div.remsim-sparkbox', {}, this.spark, this.problem, this.doing), this.facts,
			el('footer', {}, this.commands,
				el('p', {}, options.readonly ? null : el('label.remsim-period', {}, t('Poll'), ' ', this.period), this.faults)), this.message, this.why);
		this.update(modem);
	}

	/** Take the modem's object and patch what changed. */
	update(modem) {
		this.modem = modem;
		const t = this._options.t, reading = modem.reading;
		const look = stateLook(modem.state);
		this.root.className = `remsim-card remsim-card-${look}`;
		setText(this.name, `${modem.name} · ${[VENDOR_WORDS[modem.vendor] ?? modem.vendor, modem.model].filter(Boolean).join(' ')}`);
		setText(this.said, `${modem.name}: ${t(STATE_WORDS[modem.state] || modem.state)}`);
		setText(this.problem, modem.problem || '');
		showRemote(this.remote, reading, t);
		const signal = mainSignal(reading);
		const word = signal ? quality(signal.measure, signal.value) : null;
		const level = signal ? bars(signal.measure, signal.value) : 0;
		fill(this.bars, signalBars(level, signal ? `${signal.label} ${number(signal.value)} dBm, ${word || ''}` : t('no signal value')));
		fill(this.signal, signal
			? [el(`b.remsim-quality-${word || 'none'}`, {}, withUnit(signal.value, 'dBm')), el('span', {}, ` ${signal.label}${word ? ` · ${t(word)}` : ''}`)]
			: el('span.remsim-absent', {}, `${NONE} ${modem.problem ? '' : t('no signal value is reported')}`));
		fill(this.spark, signal ? this._line(signal.measure) : null);
		this._showFacts(this._facts(modem, reading));
		if (document.activeElement !== this.period)
			this._showPeriod(modem.period_s === null ? 'off' : String(modem.period_s));
		setText(this.commands, t('AT commands sent: %s', count(modem.at_commands_total)) +
			(modem.at_round_exchanges === null ? '' : t(', %s a round', modem.at_round_exchanges)));
		this.faults.hidden = !this._store.simulated || !!this._options.readonly;
		this.tick();
	}

	/** The configuration may hold a period that is not among the choices. */
	_showPeriod(value) {
		if (![...this.period.options].some(option => option.value === value))
			this.period.prepend(el('option', { value }, this._options.t('every %s s', value)));
		this.period.value = value;
	}

	/** The signal's last minutes: more of them where the modem is asked rarely. */
	_line(measure) {
		const period = this.modem.period_s || 1;
		return sparkline(this._store.history.get(this.modem.id) || [], measure, Math.max(SPARK_S, SPARK_ROUNDS * period), period);
	}

	/** Ages and durations, once a second. */
	tick() {
		const t = this._options.t, modem = this.modem, now = this._store.now();
		setText(this.state, stateSentence(modem, now, t));
		const doing = operationText(modem, this._store.jobs.values(), t);
		this.doing.hidden = !doing;
		this.problem.hidden = !modem.problem || !!doing;
		this.spark.hidden = !!modem.problem || !!doing;
		setText(this.doing, doing || '');
		if (!modem.reading) {
			setText(this.age, t('not read yet'));
			return;
		}
		const age = now - epoch(modem.reading.at);
		const old = age > 3 * (modem.effective_period_s || modem.period_s || 1) + 1 || this._store.isCutOff();
		this.root.classList.toggle('remsim-stale', old);
		setText(this.age, old || age >= NOW_S ? t('%s ago', duration(age)) : t('now'));
	}

	/** Rows of [name, value, why it is absent, what it means]. */
	_facts(modem, reading) {
		const t = this._options.t, r = reading || {};
		return [
			[t('Operator'), r.operator || r.plmn || NONE, t('not reported yet')],
			[t('RSRQ · SINR'), `${number(r.rsrq_db, 0)} · ${withUnit(r.sinr_db, 'dB')}`, t('not reported by this modem')],
			[t('5G RSRP'), withUnit(r.nr_rsrp_dbm, 'dBm'), r.mode === 'NSA' ? t('the modem does not report the level of its 5G cell') : t('no 5G cell is used now')],
			[t('Cell · PCI'), `${cellName(r).split(' ')[0]} · ${r.pci ?? NONE}`, t('not reported by this modem'), cellName(r)],
			[t('SIM'), modem.sim ? `${modem.iccid ? `…${modem.iccid.slice(-4)}` : modem.sim}${r.sim_slot ? ` · ${t('slot %s', r.sim_slot)}` : ''}` : NONE, t('no SIM known'), modem.sim],
			[t('Rate ↓ ↑'), bitRates(r.rx_bits_per_s, r.tx_bits_per_s), modem.interface ? t('measured from the second reading on') : t('no network interface')],
			[t('Data ↓ ↑'), sizes(r.rx_bytes, r.tx_bytes), t('no network interface'), t('since the interface came up')],
			[t('Latency · loss'), `${withUnit(r.latency_ms, 'ms')} · ${withUnit(r.loss_percent, '%', 0)}`, t('no probe has been answered'), t('of the last ten probes')],
			[t('Temperature'), withUnit(r.temperature_c, '°C'), t('not reported by this modem')]
		];
	}

	/** Patch the facts in place: a tooltip being read or a text being marked stays. */
	_showFacts(facts) {
		if (facts.map(([name]) => name).join() !== [...this._rows.keys()].join()) {
			this._rows = new Map(facts.map(([name]) => {
				const text = el('span');
				return [name, { place: el('dd', {}, text), text }];
			}));
			fill(this.facts, [...this._rows].map(([name, { place }]) => el('div', {}, el('dt', {}, name), place)));
		}
		for (const [name, value, absent, meaning] of facts) {
			const { place, text } = this._rows.get(name), isAbsent = value.includes(NONE), title = (isAbsent ? absent : meaning) || '';
			if (place.title !== title) {
				place.title = title;
				fill(place, title ? el('button.remsim-why', { type: 'button', 'aria-description': title, click: () => this._tellWhy(name, title) }, text) : text);
			}
			setText(text, value);
		}
	}

	/** What a tooltip says, for fingers; over the card, so that nothing moves. */
	_tellWhy(name, title) {
		clearTimeout(this._whyTimer);
		setText(this.why, `${name}: ${title}`);
		this.why.hidden = false;
		this._whyTimer = setTimeout(() => { this.why.hidden = true; }, WHY_MS);
	}

	_faultMenu() {
		const t = this._options.t;
		const choose = el('select', { 'aria-label': t('Try a fault'), change: async () => {
			const fault = choose.value;
			choose.value = '';
			if (fault)
				await this._try('simulation/faults', { method: 'POST', body: { modem: this.modem.id, fault } });
		} }, el('option', { value: '' }, t('Try a fault …')), FAULTS.map(([value, label]) => el('option', { value }, t(label))));
		return el('span.remsim-faults', {}, choose);
	}

	async _setPeriod() {
		const value = this.period.value;
		await this._try(`modems/${encodeURIComponent(this.modem.id)}`, { method: 'PATCH', body: { period_s: value === 'off' ? null : Number(value) } });
		this.period.blur();
	}

	async _try(path, options) {
		this.message.hidden = true;
		try {
			await this._options.request(path, options);
			await this._options.refresh();
		} catch (error) {
			this.message.hidden = false;
			setText(this.message, error.hint ? `${error.message} ${error.hint}` : error.message);
		}
	}
}
