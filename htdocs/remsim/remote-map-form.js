/** The form of one slot map: which bank's slot, which client. */

import { ask } from './ask.js';
import { el, fill } from './dom.js';
import { FormView } from './form.js';
import { mapPath } from './remote-data.js';
import { costOf } from './remote-give.js';
import { LARGEST_ID, bankSlotName, clientTitle } from './remote-words.js';
import { msg } from './words.js';

const OTHER = 'other';
const ID = { type: 'integer', minimum: 0, maximum: LARGEST_ID };

export class MapForm {
	/** `ctx` as for ClientCard; `closed()` is called when it goes away. */
	constructor(ctx, closed) {
		this._ctx = ctx;
		this._closed = closed;
		this.root = el('section.remsim-panel', { hidden: true, 'aria-label': ctx.t('Slot map') });
	}

	get isOpen() { return !this.root.hidden; }

	/** Open it for a new map, or to change `map`. */
	open(map = null) {
		const { t } = this._ctx;
		this.map = map;
		const heading = el('h2', { tabindex: '-1' }, map ? t('Change %s', bankSlotName(`${map.bank_id}:${map.bank_slot}`, t)) : t('New slot map'));
		this.cost = el('p.remsim-help');
		this.form = new FormView(this._schema(), { t, submitLabel: map ? t('Save') : t('Make it'), submit: values => this._submit(values), changed: () => this._changed(), values: map ? { client: this._choiceOf(map), client_id: map.client_id, client_slot: map.client_slot, note: map.note || '' } : null });
		fill(this.root, el('header', {}, heading, el('button', { type: 'button', click: () => this.close() }, t('Close'))), this.form.root, this.cost);
		this.root.hidden = false;
		this._changed();
		heading.focus({ preventScroll: true });
		this.root.scrollIntoView({ block: 'nearest' });
	}

	close() {
		this.root.hidden = true;
		fill(this.root);
		this._closed();
	}

	/** New banks and clients are offered as long as nothing was typed. */
	update() {
		if (this.isOpen && !this.form.isDirty && !this.map && JSON.stringify(this._schema()) !== JSON.stringify(this._made)) {
			const hadFocus = this.root.contains(document.activeElement);
			if (!hadFocus)
				this.open();
		}
	}

	_choiceOf(map) {
		const slot = `${map.client_id}:${map.client_slot}`;
		return this._ctx.data.clientAt(slot) ? slot : OTHER;
	}

	_schema() {
		const { t, data, store } = this._ctx, properties = {}, required = [];
		if (!this.map) {
			if (data.servers.length > 1) {
				properties.server = { title: msg('Server'), oneOf: data.servers.map(server => ({ const: server.name, title: server.name })), default: data.servers[0].name };
				required.push('server');
			}
			const banks = data.banks.map(bank => ({ const: bank.bank_id, title: t('Bank %s', bank.bank_id) + (bank.name ? ` · ${bank.name}` : '') }));
			properties.bank_id = { ...ID, title: msg('Bank'), 'x-suggestions': banks, ...(banks.length === 1 ? { default: banks[0].const } : {}) };
			properties.bank_slot = { ...ID, title: msg('Slot of the bank') };
			required.push('bank_id', 'bank_slot');
		}
		const clients = data.clients.map(client => ({ const: client.client_slot, title: clientTitle(client, store, t) }));
		if (clients.length)
			properties.client = { title: msg('Client'), oneOf: [...clients, { const: OTHER, title: t('another client') }], default: (data.clients.find(client => !data.mapOf(client.client_slot)) || data.clients[0]).client_slot };
		properties.client_id = { ...ID, title: msg('Client id') };
		properties.client_slot = { ...ID, title: msg('Client slot'), default: 0 };
		properties.note = { type: 'string', maxLength: 100, title: msg('Note') };
		return this._made = { type: 'object', properties, required };
	}

	get _isOther() {
		const { client = OTHER } = this.form.values;
		return client === OTHER;
	}

	_changed() {
		if (!this.form)
			return;
		const { t, data, store } = this._ctx;
		for (const field of this.form.fields) {
			if (['client_id', 'client_slot'].includes(field.name))
				field.root.hidden = !this._isOther;
		}
		const { bank_id: bankId, bank_slot: slot, server, client } = this.form.values;
		const bank = Number.isInteger(bankId) ? data.bank(bankId, server) : null, present = bank && Number.isInteger(slot) ? data.mapAt(bank, slot) : null;
		const loser = this.map ? data.clientAt(`${this.map.client_id}:${this.map.client_slot}`) : null;
		fill(this.cost, [
			bank?.slots && slot >= bank.slots ? t('Bank %s has the slots 0 to %s only.', bankId, bank.slots - 1) : null,
			present ? t('This slot has a map already.') : null,
			this.map ? null : this._taken(client) ? t('This client has a card already.') : null,
			loser && client !== loser.client_slot ? costOf(loser, store, t) : null,
			t('The client’s modem is reset once when its card comes.')
		].filter(Boolean).join(' '));
	}

	/** The map that a client of the form's choice has. */
	_taken(client) {
		return client && client !== OTHER ? this._ctx.data.mapOf(client) : null;
	}

	/** Whether what is in the way shall go. */
	async _mayReplace(asked) {
		const { t, root, data } = this._ctx, bank = data.bank(asked.bank_id, asked.server), client = `${asked.client_id}:${asked.client_slot ?? 0}`;
		const maps = [...new Set([bank && data.mapAt(bank, asked.bank_slot), data.mapOf(client)])].filter(Boolean);
		if (!maps.length)
			return true;
		asked.replace = true;
		return ask(root, { title: t('Replace what is there?'), yes: t('Replace'), t, texts: maps.map(map => t('%s is for client %s now.', bankSlotName(`${map.bank_id}:${map.bank_slot}`, t), `${map.client_id}:${map.client_slot}`)) });
	}

	async _submit(values) {
		const { t, request, said, data } = this._ctx, { map } = this, asked = { ...values };
		if (!this._isOther)
			[asked.client_id, asked.client_slot] = values.client.split(':').map(Number);
		else if (asked.client_id === undefined)
			throw Object.assign(new Error(t('is needed')), { field: 'client_id' });
		delete asked.client;
		if (!asked.note)
			delete asked.note;
		if (!map && !await this._mayReplace(asked))
			return;
		const name = map ? `${map.bank_id}:${map.bank_slot}` : `${asked.bank_id}:${asked.bank_slot}`;
		if (map) {
			const [path, query] = mapPath(map);
			await request(path, { method: 'PUT', query, body: asked });
		} else
			await request('remote-sim/slotmaps', { method: 'POST', body: asked });
		said(map ? t('The map of %s is changed.', bankSlotName(name, t)) : t('The map of %s is made.', bankSlotName(name, t)));
		this.close();
		await data.load();
	}
}
