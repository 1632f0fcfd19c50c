/** A link that is added or changed: what it is made of first, then what the server's form asks. */

import { ask } from './ask.js';
import { el, fill } from './dom.js';
import { FormView } from './form.js';
import { linkName } from './links-words.js';
import { nameOf, sendable } from './rule-schema.js';
import { msg } from './words.js';

/** What a link may be made of: the field that says which one. */
const KINDS = [['modem', msg('A modem'), msg('A modem of this router; its SIM, its carrier and its address come along.')],
	['interface', msg('An interface'), msg('An interface of the router’s network settings, such as wan or wwan.')],
	['device', msg('A device'), msg('A network device by the kernel’s name, where no interface stands for it.')]];

/** Fields that say something of one thing only that a link does at its cap. */
const ONLY_AT_CAP = { slow_kbit: 'slow', cap_profile: 'switch' };

export class FormTab {
	constructor(ctx) {
		const { t, address } = ctx;
		this._ctx = ctx;
		this.heading = el('h2', { tabindex: '-1' });
		this.kinds = el('fieldset.remsim-field', {}, el('legend', {}, t('What is it?')));
		this.place = el('div');
		this.remove = el('p.remsim-editor-remove', { hidden: true }, el('button.remsim-danger', { type: 'button', click: () => this._remove() }, t('Delete this link')));
		this.root = el('section.remsim-editor', { 'aria-label': t('Link') }, el('header.remsim-tools', {}, el('a', { href: address('links') }, t('‹ All links')), this.heading),
			el('div.remsim-panel.remsim-stack', {}, this.kinds, this.place, this.remove));
	}

	async show(asked) {
		const { t, request, data } = this._ctx, name = asked.get('link'), at = location.hash;
		fill(this.heading, name ? linkName(data.link(name) || { name }) : t('New link'));
		this.remove.hidden = true;
		this.kinds.hidden = true;
		fill(this.place, el('p.remsim-muted', {}, t('loading …')));
		try {
			const [schema, known, cards] = await Promise.all([request('links/form', { query: { section: 'link' } }), name ? request(`links/${encodeURIComponent(name)}`) : null, request('esim').catch(() => null)]);
			if (location.hash !== at)
				return;
			this.name = name;
			this._schema = schema;
			this._cards = cards?.holders || [];
			this._values = known?.values || { priority: data.links.length + 1 };
			this._kind = KINDS.map(([kind]) => kind).find(kind => this._values[kind]) || 'modem';
			this._draw();
			this.heading.focus({ preventScroll: true });
		} catch (error) {
			fill(this.place, el('p.remsim-problem', {}, error.message), el('button', { type: 'button', click: () => this.show(asked) }, t('Try again')));
		}
	}

	_draw(values = this._values) {
		this._modem = values.modem || '';
		const { t, options } = this._ctx, known = KINDS.filter(([kind]) => kind in this._schema.properties);
		this.kinds.hidden = known.length < 2;
		fill(this.kinds, el('legend', {}, t('What is it?')), el('div.remsim-choices', {}, known.map(([kind, word, help]) => el('label.remsim-check', { title: t(help) },
			el('input', { type: 'radio', name: 'remsim-link-kind', checked: kind === this._kind, disabled: options.readonly, change: () => { this._kind = kind; this._draw(this.form.values); } }), el('span', {}, t(word))))),
		el('p.remsim-help', {}, t(known.find(([kind]) => kind === this._kind)?.[2] || '')));
		const schema = this._narrowed(values), defaults = Object.fromEntries(Object.entries(schema.properties).filter(([, one]) => one.default !== undefined).map(([name, one]) => [name, one.default]));
		this.form = new FormView(schema, { t, isReadonly: options.readonly, submitLabel: this.name ? t('Save') : t('Add this link'), values: { ...defaults, ...values }, submit: given => this._save(given), changed: () => this._changed() });
		fill(this.place, this.form.root);
		this._fitting();
		this.remove.hidden = !this.name || options.readonly;
	}

	/** The server's form with the one field that says what the link is made of, and the router's modems to choose from. */
	_narrowed(values) {
		const { t, store, data } = this._ctx, properties = {};
		for (const [name, property] of Object.entries(this._schema.properties)) {
			const isOther = KINDS.some(([kind]) => kind === name) && name !== this._kind;
			if (name === 'name' || name === 'index' || (isOther && (this._kind !== 'modem')))
				continue;
			const written = this.name ? { ...property, default: this._values[name] ?? property.default } : property;
			properties[name] = isOther ? { ...written, 'x-advanced': true } : { ...written }; // a modem may need one of the others beside it
		}
		if (this._kind === 'modem' && properties.modem && !properties.modem.oneOf) {
			const others = new Map(data.links.filter(link => link.name !== this.name && link.place).map(link => [link.place, linkName(link)]));
			const modems = store.list().map(modem => [modem.usb_path || modem.id, modem.name]).map(([place, name]) => ({ const: place, title: others.has(place) ? t('%s (%s has it)', name, others.get(place)) : name })), now = this._values.modem;
			if (now && !modems.some(one => one.const === now))
				modems.push({ const: now, title: t('%s (not there now)', now) });
			properties.modem = { ...properties.modem, description: undefined, oneOf: modems };
		}
		this._profiles(properties, values.modem);
		const required = [...new Set([...(this._schema.required || []).filter(name => name in properties), this._kind])].filter(name => name in properties);
		const first = properties[this._kind] ? { [this._kind]: { ...properties[this._kind], minLength: 1 } } : {};
		return { ...this._schema, properties: { ...first, ...properties, ...first }, required };
	}

	/** The profiles on the eUICC of its modem, where they are known; only modems have them. */
	_profiles(properties, place) {
		const { t, store } = this._ctx, property = properties.cap_profile, modem = store.list().find(one => place && [one.usb_path, one.id].includes(place)), now = this._values.cap_profile;
		const known = this._cards.find(one => modem && one.id === modem.id)?.profiles || [];
		if (this._kind !== 'modem')
			delete properties.cap_profile;
		else if (property && known.length) {
			const profiles = known.map(one => ({ const: one.id, title: one.state === 'enabled' ? t('%s (in use now)', one.name) : one.name }));
			if (now && !profiles.some(one => one.const === now))
				profiles.push({ const: now, title: now });
			properties.cap_profile = { ...property, default: now || undefined, maxLength: undefined, pattern: undefined, description: t('What its modem changes to.'), oneOf: profiles };
		}
	}

	/** Only what belongs to what is chosen is asked; what was typed elsewhere is not sent. */
	_fitting() {
		const chosen = this.form.values.at_cap;
		for (const field of this.form.fields.filter(({ name }) => ONLY_AT_CAP[name])) {
			const isHidden = chosen !== ONLY_AT_CAP[field.name];
			if (isHidden && !field.root.hidden)
				field.reset();
			field.root.hidden = isHidden;
		}
	}

	/** Another modem has other profiles. */
	_changed() {
		if (this.form?.root.isConnected)
			this._fitting();
		if (this._kind !== 'modem' || !this.form?.root.isConnected || (this.form.values.modem || '') === this._modem)
			return;
		this._draw({ ...this.form.values, cap_profile: undefined });
		this.form.fields.find(field => field.name === 'modem')?.focus();
	}

	async _save(values) {
		const { t, request, data, said, go } = this._ctx;
		const name = this.name || nameOf(values.title || values[this._kind] || 'link', data.names).slice(0, 32);
		if (this.name)
			await request(`links/${encodeURIComponent(name)}`, { method: 'PUT', body: sendable(values) });
		else
			await request('links', { method: 'POST', body: sendable({ ...values, name }) });
		await data.load();
		go('links');
		said(this.name ? t('%s is saved.', values.title || name) : t('%s is added.', values.title || name));
	}

	async _remove() {
		const { t, root, request, data, said, go } = this._ctx, link = data.link(this.name), title = link ? linkName(link) : this.name;
		if (!await ask(root, { title: t('Delete %s?', title), texts: [t('Its flows begin again on other links. Policies that name it go on to their next choice.'), t('Switching it off keeps its settings.')], yes: t('Delete %s', title), t }))
			return;
		try {
			await request(`links/${encodeURIComponent(this.name)}`, { method: 'DELETE' });
			await data.load();
			go('links');
			said(t('%s is deleted.', title));
		} catch (error) {
			this.form.refuse(error);
		}
	}
}
