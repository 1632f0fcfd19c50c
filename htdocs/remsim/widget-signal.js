/** The tiles of the wall page on any page: one modem fills the widget, several share it. */

import { el } from './dom.js';
import { seed } from './seed.js';
import { SPARK_S, Tile } from './wall-tile.js';


export function make(board, settings, title) {
	return new SignalWidget(board, settings, title);
}

class SignalWidget {
	constructor(board, settings, title) {
		this._board = board;
		this._chosen = settings.modems || [];
		this._tiles = new Map();
		this.root = el('section.remsim-tiles', { 'aria-label': title });
	}

	state() {
		const { store, options } = this._board;
		const modems = store.list().filter(modem => !this._chosen.length || this._chosen.includes(modem.id)), fresh = [];
		for (const [id, tile] of this._tiles) {
			if (!store.modems.has(id)) {
				tile.root.remove();
				this._tiles.delete(id);
			}
		}
		for (const modem of modems) {
			if (!this._tiles.has(modem.id)) {
				const tile = new Tile(options.t);
				this._tiles.set(modem.id, tile);
				this.root.appendChild(tile.root);
				fresh.push(modem);
			}
			this._update(modem.id);
		}
		if (fresh.length)
			this._board.queued(() => seed(store, fresh, options.request, SPARK_S)).then(() => fresh.forEach(modem => this._update(modem.id)));
		this.tick();
	}

	_update(id) {
		const modem = this._board.store.modems.get(id), tile = this._tiles.get(id);
		if (modem && tile)
			tile.update(modem, this._board.store.history.get(id) || []);
	}

	reading(reading) {
		this._update(reading.modem);
	}

	tick() {
		const { store } = this._board;
		for (const [id, tile] of this._tiles) {
			if (store.modems.has(id))
				tile.tick(store.modems.get(id), store.now(), store.isCutOff());
		}
	}
}
