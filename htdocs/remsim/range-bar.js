/** The period and the modem shown, kept in the address so that a link shows the same picture: buttons, a picked from-to. */

import { el } from './dom.js';
import { inputTime, moment, showUtc, timeOf } from './format.js';

export const RANGES = { '1h': 3600, '6h': 21600, '24h': 86400, '7d': 604800, '30d': 2592000, '13mo': 34210800 };

const inputText = epochS => inputTime(epochS).slice(0, 16);

export class RangeBar {
	/** `changed()` is called when the period is another one. */
	constructor(t, changed) {
		this._t = t;
		this._changed = changed;
		this.range = '1h';
		this.from = null;
		this.to = null;
		this.modem = null;
		this.buttons = Object.keys(RANGES).map(name => el('button', { type: 'button', 'data-range': name, click: () => this.choose(name) }, name));
		this.fromInput = el('input', { type: 'datetime-local', 'aria-label': t('From') });
		this.toInput = el('input', { type: 'datetime-local', 'aria-label': t('To') });
		this.picker = el('form.remsim-picker', { hidden: true, submit: submitted => { submitted.preventDefault(); this._picked(); } },
			this.fromInput, '–', this.toInput, el('button', { type: 'submit' }, t('Show')), this.error = el('span.remsim-problem', { role: 'alert' }));
		this.pick = el('button', { type: 'button', 'aria-expanded': 'false', click: () => this._toggle() }, t('Pick …'));
		this.whole = el('button', { type: 'button', hidden: true, click: () => this.choose(this.range) }, t('Whole range'));
		this.utc = false;
		this.zone = el('button', { type: 'button', title: t('Times in UTC instead of local time'), click: () => { this.utc = !this.utc; this._tell(); } }, 'UTC');
		this.label = el('span.remsim-range-label');
		this.root = el('div.remsim-ranges', { role: 'group', 'aria-label': t('Period') }, this.buttons, this.pick, this.zone, this.whole, this.label, this.picker);
		this._fromAddress();
		this._mark();
	}

	/** The period now: live ones move with the time. */
	period(nowS) {
		if (this.from !== null)
			return { from: this.from, to: this.to, live: false, name: null };
		return { from: nowS - RANGES[this.range], to: nowS, live: true, name: this.range };
	}

	choose(name) {
		this.range = name;
		this.from = this.to = null;
		this._tell();
	}

	zoom(from, to) {
		this.from = Math.floor(from);
		this.to = Math.ceil(to);
		this._tell();
	}

	/** One modem alone, or null for all. */
	chooseModem(id) {
		this.modem = id;
		this._tell();
	}

	/** The address was changed by hand or by a link. */
	follow() {
		this._fromAddress();
		this._mark();
		this._changed();
	}

	_tell() {
		const address = new URLSearchParams(location.hash.slice(1));
		for (const key of ['range', 'from', 'to', 'utc', 'modem'])
			address.delete(key);
		if (this.from === null)
			address.set('range', this.range);
		else {
			address.set('from', this.from);
			address.set('to', this.to);
		}
		if (this.utc)
			address.set('utc', '1');
		if (this.modem !== null)
			address.set('modem', this.modem);
		history.replaceState(null, '', `#${address}`);
		this._mark();
		this._changed();
	}

	_fromAddress() {
		const address = new URLSearchParams(location.hash.slice(1));
		if (Object.hasOwn(RANGES, address.get('range') || ''))
			this.range = address.get('range');
		this.utc = address.get('utc') === '1';
		this.modem = address.get('modem');
		this.from = this.to = null;
		const from = Number(address.get('from')), to = Number(address.get('to'));
		if (from > 0 && to > from) {
			this.from = from;
			this.to = to;
		}
	}

	_mark() {
		showUtc(this.utc);
		this.zone.setAttribute('aria-pressed', String(this.utc));
		for (const button of this.buttons)
			button.setAttribute('aria-pressed', String(this.from === null && button.dataset.range === this.range));
		this.whole.hidden = this.from === null;
		const now = Date.now() / 1000;
		this.label.textContent = this.from === null ? '' : `${moment(this.from, now, false)} – ${moment(this.to, now, false)}`;
	}

	_toggle() {
		this.picker.hidden = !this.picker.hidden;
		this.pick.setAttribute('aria-expanded', String(!this.picker.hidden));
		const now = this.period(Date.now() / 1000);
		this.fromInput.value = inputText(now.from);
		this.toInput.value = inputText(now.to);
	}

	_picked() {
		const [from, to] = [this.fromInput, this.toInput].map(input => timeOf(input.value));
		this.error.textContent = '';
		if (!(from < to)) {
			this.error.textContent = this._t('From must be before to.');
			return;
		}
		this._toggle();
		this.zoom(from, to);
	}
}
