/** Draws any form of the API (JSON Schema with labels): one renderer for the service's own pages and for LuCI. */

import { el, fill, setText } from './dom.js';
import { bareMessage, choicesOf, complaint, complaints, isDigits, isSame, kindOf, limitsOf, unitOf, valueOf } from './form-rules.js';

const OFTEN = 8;

let forms = 0;

/** One field: its elements, its value, its complaint. */
class Field {
	constructor(name, property, isRequired, id, t, changed) {
		Object.assign(this, { name, property, isRequired, id, t, kind: kindOf(property), label: property.title || name.replaceAll('_', ' ') });
		this._changed = () => {
			if (!this.error.hidden)
				this.complain(complaint(property, this.value, isRequired, t));
			changed();
		};
		const limits = limitsOf(property, t);
		this.error = el('p.remsim-problem.remsim-field-error', { id: `${id}-error`, hidden: true });
		this.help = [property.description ? t(property.description) : '', limits].filter(Boolean).join(' · ');
		this.helpNode = this.help ? el('p.remsim-help', { id: `${id}-help` }, this.help) : null;
		this.inputs = [];
		this.root = { flag: () => this._flag(), several: () => this._group('checkbox'), radios: () => this._group('radio') }[this.kind]?.() || this._line();
		this.reset();
	}

	_described() {
		return [this.helpNode && `${this.id}-help`, `${this.id}-error`].filter(Boolean).join(' ');
	}

	/** The label, with a mark where the field is needed. */
	_label() {
		return [this.t(this.label), this.isRequired && this.kind !== 'flag' ? el('span.remsim-required', { 'aria-hidden': 'true', title: this.t('needed') }, ' *') : null];
	}

	_flag() {
		const box = el('input', { type: 'checkbox', id: this.id, 'aria-describedby': this._described(), change: this._changed });
		this.inputs = [box];
		return el('div.remsim-field', {}, el('label.remsim-check', {}, box, el('span', {}, this._label())), this.helpNode, this.error);
	}

	_group(type) {
		const choices = choicesOf(this.property);
		this.inputs = choices.map(choice => {
			const input = el('input', { type, name: this.id, change: this._changed });
			input.choice = choice.const;
			return input;
		});
		const tools = type === 'checkbox' && choices.length > 3
			? el('span.remsim-all', {}, [['all', true], ['none', false]].map(([word, on]) =>
				el('button.remsim-small', { type: 'button', 'aria-label': this.t(on ? 'All of %s' : 'None of %s', this.t(this.label)), click: () => { this.inputs.forEach(one => { one.checked = on; }); this._changed(); } }, this.t(word))))
			: null;
		this.count = tools ? el('span.remsim-count') : null;
		const isLong = choices.some(choice => choice.title.length > (type === 'radio' ? 18 : 10));
		return el('fieldset.remsim-field', { 'aria-describedby': this._described() },
			el('legend', {}, this._label()), tools ? el('div.remsim-tools', {}, tools, this.count) : null,
			el(`div.remsim-choices${isLong ? '.remsim-lines' : type === 'checkbox' ? '.remsim-grid' : ''}`, {}, choices.map((choice, at) => el('label.remsim-check', {}, this.inputs[at], el('span', {}, this.t(choice.title))))),
			this.helpNode, this.error);
	}

	_line() {
		const { property, kind } = this, common = { id: this.id, 'aria-describedby': this._described(), 'aria-required': this.isRequired ? 'true' : null };
		let input, beside = null;
		if (kind === 'select') {
			const choices = choicesOf(property);
			const blank = !('default' in property) || !choices.some(choice => choice.const === property.default);
			input = el('select', { ...common, change: this._changed },
				blank ? el('option', { value: '' }, this.t(this.isRequired ? 'choose …' : 'not set')) : null,
				choices.map((choice, at) => el('option', { value: at }, this.t(choice.title))));
		} else if (kind === 'long' || kind === 'lines')
			input = el('textarea', { ...common, rows: kind === 'long' ? 4 : 3, spellcheck: kind === 'lines' ? 'false' : null, maxlength: property.maxLength, input: this._changed });
		else {
			input = el('input', { ...common, type: kind === 'secret' ? 'password' : 'text', autocomplete: kind === 'secret' ? 'new-password' : 'off', autocapitalize: 'off', spellcheck: 'false', inputmode: isDigits(property) ? 'numeric' : kind === 'number' ? 'decimal' : null, size: kind === 'number' ? OFTEN : null, input: this._changed });
			if (kind === 'secret') {
				const show = el('button.remsim-small', { type: 'button', 'aria-pressed': 'false', 'aria-label': this.t('show %s', this.t(this.label)), click: () => {
					const shown = input.type === 'password';
					input.type = shown ? 'text' : 'password';
					show.setAttribute('aria-pressed', String(shown));
				} }, this.t('show'));
				beside = show;
			}
		}
		const known = property['x-suggestions'] || [], list = known.length ? el('datalist', { id: `${this.id}-list` }, known.map(one => el('option', { value: one.const }, this.t(one.title)))) : null;
		if (list)
			input.setAttribute('list', list.id);
		this.inputs = [input];
		if (property['x-unit'] && !limitsOf(property, this.t))
			beside = el('span.remsim-unit', {}, unitOf(property, this.t));
		return el('div.remsim-field', {}, el('label', { for: this.id }, this._label()), el('div.remsim-line', {}, input, beside, list), this.helpNode, this.error);
	}

	/** As the API takes it; undefined: left out. */
	get value() {
		if (this.kind === 'flag')
			return this.inputs[0].checked;
		if (this.kind === 'several')
			return this.inputs.filter(input => input.checked).map(input => input.choice);
		if (this.kind === 'lines')
			return this.inputs[0].value.split('\n').map(line => line.trim()).filter(Boolean);
		if (this.kind === 'radios')
			return this.inputs.find(input => input.checked)?.choice;
		if (this.kind === 'select')
			return this.inputs[0].value === '' ? undefined : choicesOf(this.property)[Number(this.inputs[0].value)].const;
		return valueOf(this.property, this.inputs[0].value);
	}

	set value(value) {
		if (this.kind === 'flag')
			this.inputs[0].checked = value === true;
		else if (this.kind === 'several')
			this.inputs.forEach(input => { input.checked = (value || []).includes(input.choice); });
		else if (this.kind === 'lines')
			this.inputs[0].value = (value || []).join('\n');
		else if (this.kind === 'radios')
			this.inputs.forEach(input => { input.checked = input.choice === value; });
		else if (this.kind === 'select') {
			const at = choicesOf(this.property).findIndex(choice => choice.const === value);
			this.inputs[0].value = at < 0 ? '' : String(at);
		} else
			this.inputs[0].value = value === undefined || value === null ? '' : String(value);
		this.counted();
	}

	/** What is in force, as the form came. */
	reset() {
		this.value = this.property.default;
		this.complain(null);
	}

	get isChanged() {
		const before = this.property.default;
		return !isSame(this.value, this.kind === 'flag' ? before === true : ['several', 'lines'].includes(this.kind) ? before || [] : before);
	}

	counted() {
		if (this.count)
			setText(this.count, this.t('%s of %s', this.inputs.filter(input => input.checked).length, this.inputs.length));
		this.root?.classList.toggle('remsim-changed', this.isChanged && 'default' in this.property);
	}

	/** Say what is wrong with it; null: nothing. */
	complain(text) {
		const told = text || '', goesOn = /^(is|has|needs|must|may|cannot) /.test(told);
		const isPart = told.slice(0, 1) === told.slice(0, 1).toLowerCase(); // a translation goes on in an order of its own
		setText(this.error, goesOn ? `${this.t(this.label)} ${told}.` : told && isPart ? `${this.t(this.label)}: ${told}` : told);
		this.error.hidden = !text;
		for (const input of this.inputs)
			input.toggleAttribute('aria-invalid', false);
		if (text)
			this.inputs.forEach(input => input.setAttribute('aria-invalid', 'true'));
	}

	focus() {
		const fold = this.root.closest('details');
		if (fold)
			fold.open = true;
		(this.inputs.find(input => input.checked) || this.inputs[0])?.focus();
	}
}

/**
 * A form. `options`: t, submit(values) -> Promise (rejects with {message, hint, field}), submitLabel, danger, isReadonly,
 * values (what to put in instead of what is in force), changed() after every change by hand.
 */
export class FormView {
	constructor(schema, options) {
		const t = options.t, id = `remsim-form-${++forms}`, required = new Set(schema.required || []);
		this.schema = schema;
		this._options = options;
		const changed = () => this._touched();
		this.fields = Object.entries(schema.properties || {}).map(([name, property]) =>
			new Field(name, property, required.has(name), `${id}-${name}`, t, changed));
		const shown = this.fields.filter(field => !field.property['x-advanced']), advanced = this.fields.filter(field => field.property['x-advanced']);
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.button = el(`button${options.danger ? '.remsim-danger' : '.remsim-primary'}`, { type: 'submit' }, options.submitLabel || t('Apply'));
		this.undo = el('button', { type: 'button', hidden: true, click: () => this.reset() }, t('Discard changes'));
		this.beside = el('span.remsim-beside');
		this.root = el('form.remsim-form', { novalidate: true, submit: event => { event.preventDefault(); this.submit(); } },
			shown.map(field => field.root),
			advanced.length ? el('details.remsim-advanced', {}, el('summary', {}, t('Advanced')), el('div.remsim-advanced-fields', {}, advanced.map(field => field.root))) : null,
			this.error, options.isReadonly ? null : el('div.remsim-submit', {}, this.button, this.undo, this.beside));
		if (options.values)
			this.put(options.values);
		if (options.isReadonly)
			this.disable(true);
	}

	/** The values as they are sent: the whole form. */
	get values() {
		return Object.fromEntries(this.fields.map(field => [field.name, field.value]).filter(([, value]) => value !== undefined));
	}

	get isDirty() {
		return this.fields.some(field => field.isChanged);
	}

	/** Put values in as if by hand. */
	put(values) {
		for (const field of this.fields) {
			if (field.name in values)
				field.value = values[field.name];
		}
		this._touched();
	}

	/** Back to what is in force. */
	reset() {
		this.fields.forEach(field => field.reset());
		this.error.hidden = true;
		this._touched();
	}

	_touched() {
		this.fields.forEach(field => field.counted());
		this.undo.hidden = !this.fields.some(field => field.isChanged && 'default' in field.property);
		this._options.changed?.();
	}

	/** Nothing can be changed or sent while something is under way. */
	disable(isDisabled) {
		this._isDisabled = isDisabled || !!this._options.isReadonly;
		for (const control of this.root.querySelectorAll('input, select, textarea, button'))
			control.disabled = this._isDisabled;
	}

	/** Check, send, and put what is refused to its field. */
	async submit() {
		if (this._isDisabled || this._isSending)
			return;
		const values = this.values, wrong = complaints(this.schema, values, this._options.t);
		this.error.hidden = true;
		this.fields.forEach(field => field.complain(wrong[field.name] || null));
		const first = this.fields.find(field => wrong[field.name]);
		if (first) {
			first.focus();
			return;
		}
		this._isSending = true;
		try {
			await this._options.submit(values);
		} catch (error) {
			this.refuse(error);
		} finally {
			this._isSending = false;
		}
	}

	/** Show a refusal: at its field when it names one, else under the form. */
	refuse({ message, hint, field: name }) {
		const field = this.fields.find(one => one.name === String(name || '').split('.')[0]);
		const text = bareMessage(message, name);
		if (field) {
			field.complain(hint ? `${text} (${hint})` : text);
			if (!this._isDisabled)
				field.focus();
			return;
		}
		this.error.hidden = false;
		fill(this.error, el('strong', {}, text), hint ? ` – ${hint}` : '');
	}
}
