/** A card a modem, as many side by side as there is room for. */

import { el } from './dom.js';
import { ModemCard } from './modem-card.js';
import { seed } from './seed.js';

const SEED_S = 120;

export function make(board, settings) {
	return new CardsWidget(board, settings);
}

class CardsWidget {
	constructor(board, settings) {
		this._board = board;
		this._settings = settings;
		this.cards = new Map();
		this.none = el('p.remsim-absent', { hidden: true }, board.options.t('None of these modems is there.'));
		this.root = el('div.remsim-cards', {}, this.none);
	}

	_modems() {
		const chosen = this._settings.modems || [];
		return this._board.store.list().filter(modem => !chosen.length || chosen.includes(modem.id));
	}

	state() {
		const { store, options } = this._board, modems = this._modems(), fresh = [];
		this.none.hidden = modems.length > 0;
		for (const [id, card] of this.cards) {
			if (!store.modems.has(id)) {
				card.root.remove();
				this.cards.delete(id);
			}
		}
		for (const modem of modems) {
			const card = this.cards.get(modem.id);
			if (card)
				card.update(modem);
			else {
				const made = new ModemCard(modem, store, options);
				this.cards.set(modem.id, made);
				this.root.appendChild(made.root);
				fresh.push(modem);
			}
		}
		if (fresh.length)
			this._board.queued(() => seed(store, fresh, options.request, SEED_S)).then(() => fresh.forEach(modem => this._update(modem.id)));
	}

	_update(id) {
		const modem = this._board.store.modems.get(id), card = this.cards.get(id);
		if (modem && card)
			card.update(modem);
	}

	reading(reading) {
		this._update(reading.modem);
	}

	job(job) {
		this.cards.get(job.modem)?.tick();
	}

	tick() {
		for (const card of this.cards.values())
			card.tick();
	}
}
