/** The sections' forms: one a section there is one of, a list of folds where there may be many. */

import { el, fill, setText } from './dom.js';
import { complaints, isSame } from './form-rules.js';
import { FormView } from './form.js';
import { msg } from './words.js';

const RESTART = { service: msg('after a restart'), init: msg('after a restart of all of it') };

let made = 0;

/** One section. `before`: as the file has it, null for a new one. */
class SectionForm {
	constructor(type, before, context) {
		const { t } = context;
		Object.assign(this, { type, before, _t: t, name: before?.name ?? null, isRemoved: false });
		this._values = before?.values ?? {};
		const properties = Object.fromEntries(Object.entries(type.schema.properties).map(([name, property]) => {
			const current = this._values[name] ?? property.default, known = { ...property };
			delete known.default;
			if (name === 'usb_path')
				known['x-suggestions'] = context.places();
			if (before?.kept?.includes(name))
				known.description = t('One is set; leave it empty to keep it.');
			return [name, current === undefined ? known : { ...known, default: current }];
		}));
		this.schema = { ...type.schema, properties };
		this.form = new FormView(this.schema, { t, isReadonly: context.isReadonly, submit: () => context.submit(), changed: () => { this.titled?.(); context.changed(); } });
		for (const field of this.form.fields) {
			const when = field.property['x-restart'];
			if (when)
				(field.root.querySelector('label, legend') || field.root).append(' ', el('span.remsim-when', {}, t(RESTART[when])));
			if (before?.wrong?.[field.name])
				field.complain(before.wrong[field.name]);
		}
	}

	get isChanged() {
		return this.isRemoved || !this.before || this.form.isDirty || !!this.before.wrong;
	}

	/** Whether somebody has changed it here; a value the file has wrong is mended along with that. */
	get isTouched() {
		return this.isRemoved || !this.before || this.form.isDirty;
	}

	/** What the file should say: no defaults that it did not have. */
	get values() {
		const given = this.form.values, said = {};
		for (const [name, property] of Object.entries(this.type.schema.properties)) {
			const value = given[name], isExplicit = name in this._values;
			const isEmpty = value === undefined || value === '' || (Array.isArray(value) && !value.length);
			if (isEmpty && !(this.before?.kept?.includes(name)))
				continue;
			if (!isEmpty && (isExplicit || !('default' in property) || !isSame(value, property.default)))
				said[name] = value;
		}
		return said;
	}

	/** Complaints at the fields; whether there are any. */
	complain() {
		const wrong = complaints(this.schema, this.form.values, this._t);
		this.form.fields.forEach(field => field.complain(wrong[field.name] || null));
		const first = this.form.fields.find(field => wrong[field.name]);
		first?.focus();
		return !!first;
	}
}

export class SectionForms {
	/** `context`: t, isReadonly, store, changed(), submit(). */
	constructor(context) {
		this._context = { ...context, places: () => this._places() };
		this.root = el('div.remsim-stack');
		this._groups = [];
	}

	/** Take what the file says; what is being changed here stays. */
	show(types, sections) {
		if (this.count)
			return;
		this._groups = types.map(type => type.many ? this._many(type, sections) : this._one(type, sections));
		fill(this.root, this._groups.map(group => group.root));
	}

	_one(type, sections) {
		const { t } = this._context, form = new SectionForm(type, sections.find(one => one.type === type.type) ?? { name: type.type, values: {} }, this._context);
		return { type, forms: [form], root: el('section.remsim-panel', { 'data-section': type.type, 'aria-label': t(type.label) }, el('header', {}, el('h2', {}, t(type.label))), type.help ? el('p.remsim-help', {}, t(type.help)) : null, form.form.root) };
	}

	_many(type, sections) {
		const { t, isReadonly } = this._context, list = el('div.remsim-stack'), none = el('p.remsim-absent', {}, t('None. All modems have what is set above.'));
		const group = { type, forms: [], list, none };
		const add = el('button', { type: 'button', click: () => this._add(group, true) }, t('Add settings for a modem'));
		group.root = el('section.remsim-panel', { 'data-section': type.type, 'aria-label': t(type.label) }, el('header', {}, el('h2', {}, t(type.label))), el('p.remsim-help', {}, t(type.help)), none, list, isReadonly ? null : el('div.remsim-submit', {}, add));
		sections.filter(one => one.type === type.type).forEach(one => this._add(group, false, one));
		none.hidden = group.forms.length > 0;
		return group;
	}

	_add(group, isNew, before = null) {
		const { t, isReadonly } = this._context, form = new SectionForm(group.type, before, this._context);
		const title = el('span'), state = el('span.remsim-muted');
		const remove = isReadonly ? null : el('button.remsim-danger', { type: 'button', click: () => this._remove(group, form) }, t('Remove these settings'));
		form.fold = el('details.remsim-action', { open: isNew, id: `remsim-section-${++made}` }, el('summary', {}, title, state), el('div.remsim-inner', {}, form.form.root, remove ? el('p', {}, remove) : null));
		form.removeButton = remove;
		form.titled = () => {
			const { usb_path: place, name } = form.form.values;
			setText(title, [name || this._nameAt(place), place].filter(Boolean).join(' · ') || t('New'));
			setText(state, form.isRemoved ? t('will be removed') : before ? '' : t('new'));
		};
		form.titled();
		group.forms.push(form);
		group.list.append(form.fold);
		group.none.hidden = true;
		if (isNew) {
			form.form.fields[0].focus();
			this._context.changed();
		}
	}

	_remove(group, form) {
		const { t } = this._context;
		if (!form.before) {
			group.forms = group.forms.filter(one => one !== form);
			form.fold.remove();
		} else {
			form.isRemoved = !form.isRemoved;
			form.form.disable(form.isRemoved);
			setText(form.removeButton, form.isRemoved ? t('Keep these settings') : t('Remove these settings'));
			form.titled();
		}
		group.none.hidden = group.forms.length > 0;
		this._context.changed();
	}

	_places() {
		return this._context.store.list().map(modem => ({ const: modem.usb_path, title: modem.name || modem.id }));
	}

	_nameAt(place) {
		return this._context.store.list().find(modem => modem.usb_path === place)?.name || '';
	}

	/** Modems came or went: the titles of sections without a name follow. */
	placesChanged() {
		this._groups.forEach(group => group.forms.forEach(form => form.titled?.()));
	}

	get _forms() {
		return this._groups.flatMap(group => group.forms);
	}

	/** How many sections are changed. */
	get count() {
		return this._forms.filter(form => form.isTouched).length;
	}

	/** Whether something would be refused; the first such field has the focus. */
	complain() {
		return this._forms.some(form => !form.isRemoved && form.isTouched && form.complain());
	}

	/** All sections of these types, as they should be. */
	document(types) {
		this._sent = this._forms.filter(form => !form.isRemoved);
		return { types, sections: this._sent.map(form => ({ type: form.type.type, name: form.name, values: form.values })) };
	}

	/** Put a refusal to its field; whether it had one. */
	refuse(error) {
		const [, at, option] = /^sections\.(\d+)\.(\w+)/.exec(error.field || '') || [];
		const form = at === undefined ? this._forms.find(one => error.field in one.schema.properties && error.message.startsWith(`${one.type.type}.`)) : this._sent[Number(at)];
		if (!form)
			return false;
		if (form.fold)
			form.fold.open = true;
		form.form.refuse({ ...error, message: error.message, hint: error.hint, field: option ?? error.field });
		return true;
	}

	reset() {
		for (const group of this._groups) {
			for (const form of [...group.forms]) {
				if (!form.before || form.isRemoved)
					this._remove(group, form);
				form.form.reset();
			}
		}
	}

	/** What was changed here is saved: it is read anew. */
	forget() {
		this._groups = [];
	}
}
