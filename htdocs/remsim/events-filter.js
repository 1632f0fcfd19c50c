/** Which events are shown: modem, kinds, severity, a text. Kept in the address, so that a link shows the same. */

import { el, fill } from './dom.js';
import { KIND_GROUPS } from './event-words.js';
import { msg } from './words.js';

const TYPING_MS = 350;
const LEAST = [['', msg('Any severity')], ['warning,error', msg('Warnings and errors')], ['error', msg('Errors only')]];
const KEYS = ['kind', 'severity', 'text'];

export class EventsFilter {
	/** `ranges` has the modem, as on the pages with charts; `changed()` when something else is wanted. */
	constructor(t, ranges, changed) {
		Object.assign(this, { _t: t, _ranges: ranges, _changed: changed });
		const groups = KIND_GROUPS.map(([name, kinds]) => el('optgroup', { label: t(name) },
			el('option', { value: Object.keys(kinds).join() }, t('All of %s', t(name))), Object.entries(kinds).map(([kind, word]) => el('option', { value: kind }, t(word)))));
		this.kind = el('select', { 'aria-label': t('Kinds of events'), change: () => this._tell() }, el('option', { value: '' }, t('Everything')), groups);
		this.severity = el('select', { 'aria-label': t('Severity'), change: () => this._tell() }, LEAST.map(([value, word]) => el('option', { value }, t(word))));
		this.modem = el('select', { 'aria-label': t('Modem'), change: () => ranges.chooseModem(this.modem.value || null) });
		this.text = el('input', { type: 'search', maxlength: 100, placeholder: t('Search in messages'), 'aria-label': t('Search in messages'), input: () => this._typed() });
		this.clear = el('button', { type: 'button', hidden: true, click: () => this.reset() }, t('Clear filters'));
		this.root = el('div.remsim-tools', { role: 'group', 'aria-label': t('Filters') }, this.text, this.modem, this.kind, this.severity, this.clear);
		this.follow();
		this.modems([]);
	}

	/** What the API is asked for, without the period. */
	get query() {
		const modem = this._ranges.modem;
		return { ...this.asked, ...(modem ? { modem } : {}) };
	}

	/** Whether an event that came live belongs here. */
	fits(event) {
		const { kind, severity, text, modem } = this.query;
		return (!kind || kind.split(',').includes(event.kind)) && (!severity || severity.split(',').includes(event.severity))
			&& (!text || event.message.toLowerCase().includes(text.toLowerCase())) && (!modem || event.source === modem);
	}

	/** Offer these modems, and the one that is asked for even when it is gone. */
	modems(list) {
		const t = this._t, wanted = this._ranges.modem, names = new Map([['remsim', t('remsim itself')], ...list.map(modem => [modem.id, modem.name])]);
		if (wanted && !names.has(wanted))
			names.set(wanted, wanted);
		const key = JSON.stringify([...names]);
		if (key !== this._names)
			fill(this.modem, el('option', { value: '' }, t('All modems')), [...names].map(([id, name]) => el('option', { value: id }, name)));
		this._names = key;
		this.modem.value = wanted || '';
		this.clear.hidden = !Object.keys(this.query).length;
	}

	reset() {
		this.text.value = this.kind.value = this.severity.value = '';
		this._ranges.modem = null;
		this._tell();
		this._ranges.chooseModem(null);
	}

	/** Take what the address says. */
	follow() {
		const address = new URLSearchParams(location.hash.slice(1));
		this.asked = Object.fromEntries(KEYS.filter(key => address.get(key)).map(key => [key, address.get(key)]));
		const kind = this.asked.kind || '';
		if (![...this.kind.options].some(option => option.value === kind))
			this.kind.append(el('option', { value: kind }, kind.replaceAll(',', ', ').replaceAll('_', ' ')));
		this.kind.value = kind;
		this.severity.value = this.asked.severity || '';
		if (document.activeElement !== this.text)
			this.text.value = this.asked.text || '';
	}

	_typed() {
		clearTimeout(this._timer);
		this._timer = setTimeout(() => this._tell(), TYPING_MS);
	}

	_tell() {
		clearTimeout(this._timer);
		const address = new URLSearchParams(location.hash.slice(1));
		for (const key of KEYS) {
			const value = this[key].value.trim();
			if (value)
				address.set(key, value);
			else
				address.delete(key);
		}
		history.replaceState(null, '', `#${address}`);
		this.follow();
		this._changed();
	}
}
