/** The slots of all banks as cards that can be given to a modem: by dragging, or from the menu that each of them has. */

import { makeDraggable } from './card-drag.js';
import { el, setText } from './dom.js';
import { chooseClient, giveCard } from './remote-give.js';
import { clientName } from './remote-words.js';

const OPEN_UP_TO = 32;

/** The key of a bank among all. */
const keyOf = bank => `${bank.server || ''} ${bank.bank_id}`;

/** A card of a bank's slot. */
class SlotTile {
	constructor(ctx, bank, slot) {
		const { t, options, root } = ctx;
		Object.assign(this, { _ctx: ctx, slot });
		this.bank = bank;
		const name = t('bank %s, slot %s', bank.bank_id, slot);
		this.who = el('span.remsim-slot-who');
		this.button = options.readonly ? null : el('button.remsim-small', { type: 'button', hidden: true, 'aria-label': t('Give %s to …', name), click: () => this._choose(name) }, t('Give to …'));
		this.root = el('li.remsim-slot', { 'data-label': name, 'data-slot': `${bank.bank_id}:${slot}` },
			options.readonly ? null : (this.grip = el('span.remsim-grip', { 'aria-hidden': 'true' }, '⠿')), el('b', {}, t('Slot %s', slot)), this.who, this.button);
		if (!options.readonly)
			makeDraggable(this.root, { around: root, grip: this.grip, canDrop: key => key !== this.client, drop: key => this._give(key) });
	}

	update() {
		const { t, data, store } = this._ctx, map = data.mapAt(this.bank, this.slot), client = map ? `${map.client_id}:${map.client_slot}` : null, known = client && data.clientAt(client);
		this.client = client;
		this.root.classList.toggle('remsim-slot-used', !!map);
		this.root.classList.toggle('remsim-slot-foreign', !!map?.foreign);
		setText(this.who, map ? (known ? clientName(known, store, t) : t('client %s', client)) : t('free'));
		if (this.button)
			this.button.hidden = !this._others.length;
	}

	/** Who has it not. */
	get _others() {
		return this._ctx.data.clients.filter(client => client.client_slot !== this.client);
	}

	async _choose(name) {
		const client = await chooseClient(this._ctx, name, this._others);
		if (client)
			giveCard(this._ctx, this.bank, this.slot, client);
	}

	_give(key) {
		const client = this._ctx.data.clientAt(key);
		if (client)
			giveCard(this._ctx, this.bank, this.slot, client);
	}
}

/** One bank with its slots; they are drawn when it is opened. */
class Bank {
	constructor(ctx, bank) {
		Object.assign(this, { _ctx: ctx, tiles: new Map(), bank });
		this.name = el('strong');
		this.note = el('span.remsim-muted');
		this.list = el('ul.remsim-slots');
		this.root = el('details.remsim-bank', { open: (bank.slots ?? 0) <= OPEN_UP_TO, toggle: () => this._slots() }, el('summary', {}, this.name, ' ', this.note), this.list);
	}

	update(bank) {
		const { t, data } = this._ctx;
		this.bank = bank;
		setText(this.name, t('Bank %s', bank.bank_id));
		const maps = data.maps.filter(map => map.bank_id === bank.bank_id && (!map.server || !bank.server || map.server === bank.server));
		setText(this.note, [data.servers.length > 1 ? bank.server : null, bank.name, bank.connected === false ? t('not connected') : null, bank.slots ? t('%s of %s slots mapped', maps.length, bank.slots) : null].filter(Boolean).join(' · '));
		this.wanted = new Set(Array.from({ length: bank.slots ?? 0 }, (_, slot) => slot));
		maps.forEach(map => this.wanted.add(map.bank_slot)); // a map may be to a slot that the bank has not
		this._slots();
	}

	_slots() {
		if (!this.root.open)
			return;
		for (const [slot, tile] of this.tiles) {
			if (!this.wanted.has(slot)) {
				tile.root.remove();
				this.tiles.delete(slot);
			}
		}
		[...this.wanted].sort((a, b) => a - b).forEach((slot, at) => {
			const tile = this.tiles.get(slot) || new SlotTile(this._ctx, this.bank, slot);
			tile.bank = this.bank;
			this.tiles.set(slot, tile);
			tile.update();
			if (this.list.children[at] !== tile.root)
				this.list.insertBefore(tile.root, this.list.children[at] || null);
		});
	}
}

export class BankBoard {
	/** `ctx` as for ClientCard. */
	constructor(ctx) {
		const { t } = ctx;
		this._ctx = ctx;
		this._banks = new Map();
		this.list = el('div.remsim-stack');
		this.none = el('p.remsim-absent', {}, t('No bank is connected, so there are no slots to choose from.'));
		this.root = el('div', {}, this.none, this.list);
	}

	update() {
		const { data } = this._ctx, kept = new Map();
		data.banks.forEach((bank, at) => {
			const one = this._banks.get(keyOf(bank)) || new Bank(this._ctx, bank);
			kept.set(keyOf(bank), one);
			one.update(bank);
			if (this.list.children[at] !== one.root)
				this.list.insertBefore(one.root, this.list.children[at] || null);
		});
		for (const [key, one] of this._banks) {
			if (!kept.has(key))
				one.root.remove();
		}
		this._banks = kept;
		this.none.hidden = kept.size > 0;
	}
}
