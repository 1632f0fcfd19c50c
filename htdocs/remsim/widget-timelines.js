/** State, registration, technology and SIM of each modem over the period, as bands under the charts' cursor. */

import { Bands } from './bands.js';
import { setText } from './dom.js';
import { epoch } from './format.js';
import { fetchTimelines } from './series.js';
import { msg } from './words.js';

const TRACKS = [['state', msg('state')], ['registration', msg('registration')], ['technology', msg('technology')], ['sim', msg('SIM')]];
const READ_TRACKS = { registration: 'registration', technology: 'mode', sim: 'sim' };
const KINDS = ['connect', 'disconnect', 'sim_state', 'reboot', 'vanished', 'error', 'state', 'registration', 'technology_change', 'recovered', 'service_start'];
const PAUSE_S = 3;
const SLOW_S = 20;

export function make(board, settings, title) {
	return new TimelinesWidget(board, settings, title);
}

class TimelinesWidget {
	constructor(board, settings, title) {
		this._board = board;
		this._settings = settings;
		this._generation = 0;
		this._changed = new Set();
		this._rows = [];
		this.bands = new Bands(board.options.t);
		this.bands.root.setAttribute('aria-label', title);
		setText(this.bands.root.querySelector('h3'), title);
		this.bands.join(board.group);
		this.root = this.bands.root;
		this.root.classList.add('remsim-for-modems');
	}

	/** All timelines, or those of `only` while the others move on as they are. */
	async load(only = null) {
		const board = this._board, generation = ++this._generation, period = board.period(this._settings.range);
		const modems = board.modems(this._settings.modems), wanted = modems.filter(modem => !only || only.has(modem.id) || only.has('remsim'));
		const before = new Map(this._rows.map(row => [`${row.id} ${row.track}`, row.segments]));
		let found = new Map();
		if (wanted.length) {
			try {
				found = await board.queued(() => fetchTimelines(board.options.request, { modems: wanted.map(modem => modem.id), tracks: TRACKS.map(([track]) => track), from: period.from, to: period.to }));
			} catch { /* what was known goes on */ }
		}
		if (generation !== this._generation)
			return;
		this._period = period;
		this._loadedAt = Date.now() / 1000;
		this._rows = modems.flatMap(modem => TRACKS.map(([track, label]) => {
			const key = `${modem.id} ${track}`;
			return { modem: modem.name, id: modem.id, track, label: board.options.t(label), segments: found.get(key) || lengthened(before.get(key) || [], period.to) };
		}));
		this.bands.show(period.live ? this._rows.map(row => this._withNow(row)) : this._rows, period.from, period.to);
	}

	/** The journal tells changes; what has not changed since the modem came online is known from its reading. */
	_withNow(row) {
		const modem = this._board.store.modems.get(row.id), reading = modem && modem.reading;
		const value = reading ? reading[READ_TRACKS[row.track]] ?? null : null;
		const last = row.segments[row.segments.length - 1];
		if (value === null || !last || last.value !== null || modem.state !== 'online' || !modem.online_since)
			return row;
		const since = Math.max(epoch(modem.online_since), last.from);
		return { ...row, segments: [...row.segments.slice(0, -1), { ...last, to: since }, { from: since, to: last.to, value }] };
	}

	happened(event) {
		if (KINDS.includes(event.kind))
			this._changed.add(event.source);
	}

	tick() {
		const board = this._board;
		if (!this._period || !this._period.live || !this.isNear || !board.isLinked || Date.now() / 1000 - this._loadedAt < (this._changed.size ? PAUSE_S : SLOW_S))
			return;
		const changed = this._changed;
		this._changed = new Set();
		this.load(changed);
	}

	destroy() {
		this._generation += 1;
		this._board.group.charts.delete(this.bands);
	}
}

/** Segments of which the last one goes on. */
function lengthened(segments, to) {
	return segments.map((segment, at) => at < segments.length - 1 ? segment : { ...segment, to });
}
