/** Aim the antenna: one huge number, what it means, the best since opened, and a tone that rises with it. */

import { el, fill, setText } from './dom.js';
import { duration, epoch, number } from './format.js';
import { quality } from './quality.js';

const PACE_MS = 1000;
const KEPT = 120;

const MEASURES = [
	{ name: 'rsrp_dbm', label: 'RSRP', unit: 'dBm', low: -125, high: -70 },
	{ name: 'sinr_db', label: 'SINR', unit: 'dB', low: -5, high: 30 },
	{ name: 'nr_rsrp_dbm', label: '5G RSRP', unit: 'dBm', low: -125, high: -70 },
	{ name: 'nr_sinr_db', label: '5G SINR', unit: 'dB', low: -5, high: 30 },
	{ name: 'rssi_dbm', label: 'RSSI', unit: 'dBm', low: -110, high: -50 }
];

/** Where a value lies between the ends of its scale: 0 to 1. */
export function placeOf(measure, value) {
	const { low, high } = MEASURES.find(one => one.name === measure);
	return Math.max(0, Math.min(1, (value - low) / (high - low)));
}

/** The pitch for a place: two octaves and a half from 220 Hz, even steps for the ear. */
export function pitchHz(place) {
	return 220 * 2 ** (2.5 * place);
}

/** A soft tone; made only after a press, as browsers want it. */
class Tone {
	start() {
		const Context = window.AudioContext || window.webkitAudioContext;
		if (!Context)
			return false;
		this._context = new Context();
		this._gain = this._context.createGain();
		this._gain.gain.value = 0;
		this._gain.connect(this._context.destination);
		this._oscillator = this._context.createOscillator();
		this._oscillator.connect(this._gain);
		this._oscillator.start();
		this._context.resume();
		return true;
	}

	/** Sound at a place of the scale; null: silence. */
	sound(place) {
		if (!this._context)
			return;
		const now = this._context.currentTime;
		if (place !== null)
			this._oscillator.frequency.setTargetAtTime(pitchHz(place), now, 0.05);
		this._gain.gain.setTargetAtTime(place === null ? 0 : 0.15, now, 0.05);
	}

	stop() {
		this._context?.close();
		this._context = null;
	}
}

export class AimView {
	/** `ctx` of modems.js; `closed()` when the user has enough. */
	constructor(ctx, closed) {
		const t = ctx.t;
		Object.assign(this, { _ctx: ctx, _closed: closed, _tone: new Tone(), _values: new Map(), _isOld: true });
		this.value = el('b.remsim-aim-value');
		this.unit = el('span.remsim-aim-unit');
		this.word = el('p.remsim-aim-word', { role: 'status' });
		this.range = el('p.remsim-aim-range');
		this.cell = el('p.remsim-aim-cell');
		this.choices = el('div.remsim-aim-choices', { role: 'group', 'aria-label': t('What is shown') });
		this.sound = el('button', { type: 'button', 'aria-pressed': 'false', click: () => this._toggleTone() }, t('Tone'));
		this.again = el('button', { type: 'button', click: () => { this._values.clear(); this._draw(); } }, t('Begin anew'));
		this.close = el('button', { type: 'button', click: closed }, t('Close'));
		this.meter = el('meter.remsim-aim-meter', { min: 0, max: 1, low: 0.4, high: 0.7, optimum: 1, 'aria-hidden': 'true' });
		this.root = el('section.remsim-aim', { role: 'dialog', 'aria-modal': 'true', 'aria-label': t('Aim the antenna'), tabindex: '-1', keydown: key => this._key(key) },
			el('header', {}, el('h2', {}, t('Aim the antenna'), el('span.remsim-muted', {}, ` · ${ctx.store.modems.get(ctx.id).name}`)), this.close),
			el('div.remsim-aim-main', {}, el('p.remsim-aim-number', {}, this.value, this.unit), this.word, this.meter, this.range, this.cell),
			el('footer', {}, this.choices, el('div.remsim-aim-tools', {}, this.sound, this.again)));
		this._visible = () => { if (!document.hidden) this._wake(); };
	}

	opened() {
		this._before = document.activeElement;
		document.documentElement.classList.add('remsim-no-scroll');
		document.addEventListener('visibilitychange', this._visible);
		this._ctx.live.setPace(PACE_MS);
		this._wake();
		this.root.focus();
	}

	destroy() {
		this._tone.stop();
		this._lock?.release().catch(() => {});
		this._ctx.live.setPace(null);
		document.removeEventListener('visibilitychange', this._visible);
		document.documentElement.classList.remove('remsim-no-scroll');
		this.root.remove();
		if (this._before?.isConnected)
			this._before.focus({ preventScroll: true });
	}

	/** Keep the screen on while somebody is on a ladder. */
	async _wake() {
		try {
			this._lock = await navigator.wakeLock?.request('screen');
		} catch { /* not on this page or not with this battery: the screen goes off as it would */ }
	}

	_key(key) {
		if (key.key === 'Escape')
			this._closed();
		if (key.key !== 'Tab')
			return;
		const stops = [...this.root.querySelectorAll('button:not([disabled])')];
		const edge = key.shiftKey ? stops[0] : stops[stops.length - 1];
		if (document.activeElement === edge || document.activeElement === this.root) {
			key.preventDefault();
			(key.shiftKey ? stops[stops.length - 1] : stops[0]).focus();
		}
	}

	_toggleTone() {
		const isOn = this.sound.getAttribute('aria-pressed') === 'true';
		if (isOn)
			this._tone.stop();
		else if (!this._tone.start()) {
			this.sound.disabled = true;
			return;
		}
		this.sound.setAttribute('aria-pressed', String(!isOn));
		this._draw();
	}

	/** A reading came. */
	read(modem) {
		const reading = modem?.reading;
		if (!reading || reading.at === this._at)
			return;
		this._at = reading.at;
		this._modem = modem;
		for (const { name } of MEASURES) {
			const value = reading[name];
			if (value === null || value === undefined)
				continue;
			const known = this._values.get(name) || { low: value, high: value, last: [] };
			known.low = Math.min(known.low, value);
			known.high = Math.max(known.high, value);
			known.last = [...known.last, value].slice(-KEPT);
			this._values.set(name, known);
		}
		this._choose(reading);
		this._draw();
	}

	/** Buttons for what this modem reports now. */
	_choose(reading) {
		const there = MEASURES.filter(({ name }) => Number.isFinite(reading[name]) || this._values.has(name));
		if (!there.some(one => one.name === this.measure))
			this.measure = there[0]?.name ?? null;
		const told = there.map(one => one.name).join();
		if (told !== this._told)
			fill(this.choices, there.map(one => el('button', { type: 'button', 'data-measure': one.name, click: () => { this.measure = one.name; this._draw(); } }, this._ctx.t(one.label))));
		this._told = told;
	}

	/** Once a second: whether what is shown is old. */
	tick(isOld) {
		this._isOld = isOld || this._modem?.state !== 'online';
		this._draw();
	}

	_draw() {
		const t = this._ctx.t, spec = MEASURES.find(one => one.name === this.measure), reading = this._modem?.reading;
		for (const button of this.choices.children)
			button.setAttribute('aria-pressed', String(button.dataset.measure === this.measure));
		const value = spec && reading ? reading[spec.name] ?? null : null, known = this._values.get(this.measure);
		const age = reading ? this._ctx.store.now() - epoch(reading.at) : null;
		const isStale = this._isOld || this._ctx.store.isCutOff() || value === null;
		const word = value === null ? null : quality(spec.name, value);
		this.root.className = `remsim-aim remsim-aim-${isStale ? 'stale' : word || 'none'}`;
		setText(this.value, number(value, 0));
		setText(this.unit, spec ? ` ${spec.unit}` : '');
		setText(this.word, value === null ? t('no value now') : isStale ? t('%s ago', duration(age)) : [word && t(word), this._trend(known)].filter(Boolean).join(' · '));
		this.meter.value = value === null ? 0 : placeOf(spec.name, value);
		setText(this.range, known ? t('lowest %s · highest %s since opened', number(known.low), number(known.high)) : '');
		this.range.classList.toggle('remsim-aim-best', !!known && !isStale && value >= known.high && known.last.length > 3);
		const isNr = this.measure?.startsWith('nr_') || reading?.mode === 'SA';
		const band = isNr ? reading?.nr_band ?? reading?.band : reading?.band, pci = isNr && reading?.mode !== 'SA' ? reading?.nr_pci : reading?.pci;
		setText(this.cell, [band && `${isNr ? 'n' : 'B'}${band}`, pci !== null && pci !== undefined && `PCI ${pci}`, reading?.operator].filter(Boolean).join(' · '));
		this._tone.sound(isStale ? null : placeOf(spec.name, value));
	}

	/** Better or worse than the mean of the seconds before. */
	_trend(known) {
		if (!known || known.last.length < 4)
			return '';
		const now = known.last[known.last.length - 1], before = known.last.slice(-6, -1), mean = before.reduce((sum, value) => sum + value, 0) / before.length;
		const t = this._ctx.t;
		return now > mean + 0.9 ? `▲ ${t('better')}` : now < mean - 0.9 ? `▼ ${t('worse')}` : `= ${t('steady')}`;
	}
}
