/** The settings of remote SIM: servers, clients, how maps are kept, IonMesh; each section saved by itself, in force at once. */

import { ask } from './ask.js';
import { el, fill } from './dom.js';
import { FormView } from './form.js';
import { ClientFilePanel } from './remote-client-file.js';
import { msg } from './words.js';

const TYPES = ['remsim_server', 'remote_client', 'remote_sim', 'ionmesh'];
const NEW = { remsim_server: ['server', msg('Add a server'), msg('No server is set up.')], remote_client: ['client', msg('Add a client'), msg('No client is set up.')] };
const NAME = { type: 'string', minLength: 1, maxLength: 32, pattern: '^[A-Za-z0-9_]+$', 'x-told': msg('has other characters than A to Z, a to z, 0 to 9 and _'), title: msg('Name') };

export class SettingsTab {
	/** `ctx` as for ClientCard. */
	constructor(ctx) {
		const { t } = ctx;
		this._ctx = ctx;
		this._groups = new Map();
		this.failed = el('div.remsim-problem', { role: 'alert', hidden: true });
		this.list = el('div.remsim-stack');
		this.file = new ClientFilePanel(ctx, () => Promise.all([this.load(), ctx.data.load()]));
		this.root = el('div.remsim-stack', {}, this.failed, el('p.remsim-help', {}, t('What is saved here is in force at once. A client whose settings change is started anew: its modem is reset once.')), this.list, this.file.root);
	}

	get isDirty() {
		return [...this._groups.values()].some(group => group.forms.some(one => one.form.isDirty));
	}

	/** Called when the tab is shown; `add` opens a new section of that type. */
	async show(add = null) {
		if (!this._types)
			await this.load();
		if (add && this._groups.has(add) && !this._ctx.options.readonly)
			this._add(this._groups.get(add));
	}

	async load() {
		const { t, request } = this._ctx;
		try {
			this._types ||= (await request('config/form', { query: { types: TYPES.join() } })).types;
			const { sections, problems } = await request('config', { query: { types: TYPES.join() } });
			this._show(sections);
			this.file.load();
			this.failed.hidden = !problems?.length;
			fill(this.failed, problems);
		} catch (error) {
			this.failed.hidden = false;
			fill(this.failed, error.hint ? `${error.message} – ${error.hint}` : error.message, ' ', el('button', { type: 'button', click: () => this.load() }, t('Try again')));
		}
	}

	/** Draw the sections; what is being written in others than the one that was saved stays, and the focus in it. */
	_show(sections) {
		const { t, options } = this._ctx, focused = this.list.getRootNode().activeElement;
		const open = new Set([...this.list.querySelectorAll('details[data-name][open]')].map(one => one.dataset.name));
		this._groups = new Map(TYPES.map(name => this._types.find(type => type.type === name)).filter(Boolean).map(type => {
			const known = sections.filter(one => one.type === type.type), list = el('div.remsim-stack'), group = { type, forms: [], list, names: known.map(one => one.name) };
			const kept = (this._groups.get(type.type)?.forms || []).filter(one => one.name === null || one.form.isDirty);
			const [, word, none] = NEW[type.type] || [];
			group.none = el('p.remsim-absent', { hidden: known.length > 0 || !type.many }, none ? t(none) : '');
			known.forEach(section => list.append(this._stays(group, kept, section.name) || this._section(group, section, open.has(section.name))));
			if (!type.many && !known.length)
				list.append(this._stays(group, kept, type.type) || this._section(group, { name: type.type, values: {} }, false));
			const fresh = this._stays(group, kept, null);
			if (fresh) {
				list.append(fresh);
				group.none.hidden = true;
			}
			group.button = type.many && !options.readonly ? el('button', { type: 'button', disabled: known.length >= type.most, click: () => this._add(group) }, t(word)) : null;
			group.root = el('section.remsim-panel', { 'data-section': type.type, 'aria-label': t(type.label) }, el('header', {}, el('h2', {}, t(type.label))), type.help ? el('p.remsim-help', {}, t(type.help)) : null, group.none, list, group.button ? el('div.remsim-submit', {}, group.button) : null);
			return [type.type, group];
		}));
		fill(this.list, [...this._groups.values()].map(group => group.root));
		if (this.list.contains(focused))
			focused.focus({ preventScroll: true });
	}

	/** What is drawn of a section that is being written, if it is one of those. */
	_stays(group, kept, name) {
		const one = kept.find(form => form.name === name);
		if (one)
			group.forms.push(one);
		return one?.root;
	}

	/** One section that the file has, as a fold where there may be many. */
	_section(group, section, isOpen) {
		const { t, options } = this._ctx, { type } = group;
		const one = this._form(group, section.name, this._schema(type, section), t('Save')), { form } = one;
		if (!type.many)
			return form.root;
		const remove = options.readonly ? null : el('p', {}, el('button.remsim-danger', { type: 'button', click: () => this._remove(type, section, form) }, t('Remove')));
		one.root = el('details.remsim-action', { open: isOpen, 'data-name': section.name }, el('summary', {}, el('span', {}, section.name), el('span.remsim-muted', {}, this._told(type.type, section.values))), el('div.remsim-inner', {}, form.root, remove));
		return one.root;
	}

	_told(kind, values) {
		if (kind === 'remsim_server')
			return values.url || '';
		const modem = this._ctx.store.list().find(one => one.usb_path === values.modem);
		return [modem?.name || values.modem, this._ctx.t('client %s', `${values.client_id}:${values.client_slot ?? 0}`)].filter(Boolean).join(' · ');
	}

	_schema(type, section) {
		const { t } = this._ctx, schema = JSON.parse(JSON.stringify(type.schema));
		for (const [name, property] of Object.entries(schema.properties)) {
			const value = section.values[name] ?? property.default;
			delete property.default;
			if (value !== undefined)
				property.default = value;
			if (section.kept?.includes(name))
				property.description = t('One is set; leave it empty to keep it.');
			if (name === 'modem')
				this._modems(property);
		}
		return schema;
	}

	/** Modems by name; a place where none is now stays a choice. */
	_modems(property) {
		const { t, store } = this._ctx, choices = store.list().filter(modem => modem.usb_path).map(modem => ({ const: modem.usb_path, title: `${modem.name} (${modem.usb_path})` })), now = property.default;
		if (now && !choices.some(one => one.const === now))
			choices.push({ const: now, title: now });
		property.oneOf = [...choices, { const: '', title: t('none') }];
		property.default ??= '';
		property.description = '';
	}

	/** A form among its group's: what is drawn of it, and the name of its section, null for a new one. */
	_form(group, name, schema, submitLabel) {
		const { t, options } = this._ctx, { type } = group;
		const form = new FormView(schema, { t, isReadonly: options.readonly, submitLabel, submit: values => this._save(type, one, values) });
		const one = { form, name, root: form.root };
		group.forms.push(one);
		return one;
	}

	/** Another form is not kept when sections are drawn anew. */
	_drop(type, one) {
		const group = this._groups.get(type.type);
		group.forms = group.forms.filter(other => other !== one);
	}

	_add(group) {
		const { type } = group, [stem] = NEW[type.type] || [];
		const fresh = group.forms.find(one => one.name === null);
		if (!stem || fresh || group.button?.disabled) {
			fresh?.form.fields[0].focus();
			return;
		}
		const { t } = this._ctx, schema = this._schema(type, { values: {} });
		let number = 1;
		while (group.names.includes(`${stem}${number}`))
			number += 1;
		if (type.type === 'remote_client')
			this._suggest(schema);
		schema.properties = { name: { ...NAME, title: t(NAME.title), default: `${stem}${number}` }, ...schema.properties };
		schema.required = ['name', ...schema.required || []];
		const one = this._form(group, null, schema, t('Add')), { form } = one;
		one.root = el('div.remsim-action', { 'data-new': type.type }, el('header.remsim-tools', {}, el('h3', {}, t('New')), el('button.remsim-small', { type: 'button', click: () => { one.root.remove(); this._drop(type, one); } }, t('Do not add'))), form.root);
		group.list.append(one.root);
		group.none.hidden = true;
		form.fields[type.type === 'remsim_server' ? 1 : 0].focus();
		one.root.scrollIntoView({ block: 'nearest' });
	}

	/** A new client's modem and server, where there is no doubt. */
	_suggest(schema) {
		const { data, store } = this._ctx, taken = new Set(data.ours.map(client => client.modem)), free = store.list().filter(modem => modem.usb_path && !taken.has(modem.id));
		if (free.length === 1)
			schema.properties.modem.default = free[0].usb_path;
		const url = data.servers.length === 1 && data.servers[0].url;
		if (url && URL.canParse(url))
			schema.properties.server_host.default = new URL(url).hostname;
	}

	async _save(type, one, values) {
		const { t, request, said, data } = this._ctx, body = { ...values }, name = one.name ?? values.name;
		if (one.name === null)
			delete body.name;
		if (one.name === null && this._groups.get(type.type).names.includes(name))
			throw Object.assign(new Error(t('is taken')), { field: 'name' });
		for (const [key, property] of Object.entries(type.schema.properties)) {
			if (body[key] === '' && property.default !== '')
				delete body[key];
		}
		await request(`config/${type.type}/${encodeURIComponent(name)}`, { method: 'PUT', body });
		said(t('%s is saved.', type.many ? name : t(type.label)));
		this._drop(type, one);
		await Promise.all([this.load(), data.load()]);
		if (!this.list.contains(this.list.getRootNode().activeElement))
			this._groups.get(type.type)?.root.querySelector(type.many ? `details[data-name="${name}"] > summary` : 'button')?.focus({ preventScroll: true });
	}

	async _remove(type, section, form) {
		const { t, root, request, said, data } = this._ctx;
		const client = type.type === 'remote_client' ? data.ours.find(one => one.name === section.name) : null;
		const texts = type.type === 'remsim_server' ? [t('Its slot maps are not kept any more; those at the server stay there.')]
			: [client?.state === 'remote' ? t('Its modem loses the remote card, and with it its connection.') : t('It is not run any more.')];
		if (!await ask(root, { title: t('Remove %s?', section.name), texts, yes: t('Remove'), t }))
			return;
		try {
			await request(`config/${type.type}/${encodeURIComponent(section.name)}`, { method: 'DELETE' });
			said(t('%s is removed.', section.name));
			await Promise.all([this.load(), data.load()]);
			(this._groups.get(type.type)?.button || this.root).focus?.({ preventScroll: true });
		} catch (error) {
			form.refuse(error);
		}
	}
}
