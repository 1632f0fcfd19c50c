/** What happened in the page's period, or lately where there is none. */

import { EventsList } from './events-list.js';

const SEVERITIES = ['info', 'warning', 'error'];
const SOON_MS = 200;

export function make(board, settings, title) {
	return new EventsWidget(board, settings, title);
}

class EventsWidget {
	constructor(board, settings, title) {
		this._board = board;
		this._settings = settings;
		this.list = new EventsList(board.store, board.options, (from, to) => board.ranges?.zoom(from, to), {
			title, count: settings.count, isWanted: event => this._isWanted(event)
		});
		this.root = this.list.root;
		this.list.update();
	}

	_isWanted(event) {
		const { modems = [], severity } = this._settings;
		return (!modems.length || modems.includes(event.source)) && SEVERITIES.indexOf(event.severity) >= SEVERITIES.indexOf(severity || 'info');
	}

	async load() {
		if (!this._board.ranges)
			return;
		const found = await this._board.events();
		if (found)
			this.list.show(found.list, found.only);
	}

	state() {
		this.list.update();
	}

	/** An event that came: into the list, which is drawn once for all that come together. */
	happened(event) {
		if (this._board.ranges && this._board.period().live && this._board.isOfPeriod(event))
			this.list.add(event);
		clearTimeout(this._timer);
		this._timer = setTimeout(() => this.list.update(), SOON_MS);
	}

	/** Show one event, because its mark was pressed. */
	open(event) {
		this.list.open(event);
	}

	destroy() {
		clearTimeout(this._timer);
	}
}
