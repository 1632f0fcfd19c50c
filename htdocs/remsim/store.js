/** What the page knows: modems, their last minutes, events, jobs, problems. One store, many readers. */

import { epoch } from './format.js';
import { takeLimits } from './quality.js';

const HISTORY = 900;
const EVENTS = 200;
const SET_BACK_S = 60;
const CUT_OFF_S = 3;
const LIFE = 1000;

export class Store {
	/** `history`: rows kept of each modem; `keep(reading)`: what a row has of its reading. */
	constructor({ history = HISTORY, keep = reading => reading } = {}) {
		this._most = history;
		this._keep = keep;
		this.modems = new Map();
		this.history = new Map();
		this.events = [];
		this.jobs = new Map();
		this.problems = [];
		this.simulated = false;
		this.version = null;
		this.streams = {};
		this.lastId = 0;
		this.loaded = false;
		this.link = { mode: 'connecting', since: Date.now() / 1000, error: null, why: null };
		this.offsetS = 0;
		this._readers = new Map();
	}

	/** Call `reader` on a topic (`state`, `reading`, `event`, `job`, `alert`, `link`); returns the way to stop. */
	on(topic, reader) {
		const readers = this._readers.get(topic) || new Set();
		readers.add(reader);
		this._readers.set(topic, readers);
		return () => readers.delete(reader);
	}

	_tell(topic, value) {
		for (const reader of this._readers.get(topic) || [])
			reader(value);
	}

	/** The router's time now, in seconds; ages are counted on it. */
	now() {
		return Date.now() / 1000 + this.offsetS;
	}

	/** Modems in the order of the API. */
	list() {
		return [...this.modems.values()];
	}

	/** Take the answer of `state`. */
	takeState(state) {
		if (state.at)
			this.offsetS = epoch(state.at) - Date.now() / 1000;
		takeLimits(state.quality);
		this.simulated = state.simulated === true;
		this.version = state.version || this.version;
		this.streams = state.stream || {};
		this.problems = state.problems || [];
		if (state.id && state.id < this.lastId - LIFE) { // another life of the router: its messages are counted anew
			this.lastId = 0;
			this.events = [];
		}
		const known = new Map();
		for (const modem of state.modems || []) {
			const before = this.modems.get(modem.id);
			if (before && before.reading && (!modem.reading || epoch(before.reading.at) > epoch(modem.reading.at)))
				modem.reading = before.reading;
			known.set(modem.id, modem);
		}
		this.modems = known;
		for (const id of this.history.keys()) {
			if (!known.has(id))
				this.history.delete(id);
		}
		for (const job of state.jobs || [])
			this.jobs.set(job.id, job);
		for (const reading of state.readings || [])
			this.takeReading(reading, true);
		for (const event of [...(state.events || [])].reverse())
			this.takeEvent(event, true);
		this.lastId = Math.max(this.lastId, state.id || 0);
		this.loaded = true;
		this._tell('state', state);
	}

	/** Take a reading off the stream. */
	takeReading(reading, quiet = false) {
		if (reading.id)
			this.lastId = Math.max(this.lastId, reading.id);
		const rows = this.history.get(reading.modem) || [];
		const last = rows[rows.length - 1];
		const at = epoch(reading.at);
		if (last && at <= last.t) {
			if (last.t - at < SET_BACK_S)
				return;
			rows.length = 0; // the router's clock was set back
		}
		rows.push({ t: at, reading: this._keep(reading) });
		if (rows.length > this._most)
			rows.splice(0, rows.length - this._most);
		this.history.set(reading.modem, rows);
		const modem = this.modems.get(reading.modem);
		if (modem) {
			modem.reading = reading;
			modem.at_commands_total = reading.at_commands_total ?? modem.at_commands_total;
		}
		this._tell('reading', reading);
		if (!modem && !quiet)
			this._tell('stale', null);
	}

	/** What was read of a modem after a time, oldest first. */
	since(modem, time) {
		const rows = this.history.get(modem) || [];
		let at = rows.length;
		while (at > 0 && rows[at - 1].t > time)
			at -= 1;
		return rows.slice(at);
	}

	/** Put older values of one measure before what was read live. */
	seed(modem, measure, points) {
		const rows = this.history.get(modem) || [];
		const first = rows.length ? rows[0].t : Infinity;
		const older = points.filter(point => point[0] < first - 1).map(point => ({ t: point[0], reading: { [measure]: point[2] } }));
		this.history.set(modem, [...older, ...rows].slice(-this._most));
	}

	/** Take an event; returns false when it is known already. */
	takeEvent(event, quiet = false) {
		this.lastId = Math.max(this.lastId, event.id || 0);
		if (this.events.some(known => known.id === event.id))
			return false;
		this.events.push(event);
		this.events.sort((a, b) => b.id - a.id);
		if (this.events.length > EVENTS)
			this.events.length = EVENTS;
		this._tell('event', event);
		if (!quiet)
			this._tell('stale', null);
		return true;
	}

	/** Take a job's progress. */
	takeJob(job) {
		this.jobs.set(job.id, job);
		this._tell('job', job);
	}

	/** Take a message of the stream. */
	take(kind, message) {
		if (kind === 'reading')
			this.takeReading(message);
		else if (kind === 'event')
			this.takeEvent(message);
		else if (kind === 'job')
			this.takeJob(message);
		else
			this._tell(kind, message);
	}

	/** Whether the router has not been heard for so long that nothing here may be taken for now. */
	isCutOff() {
		return ['reconnecting', 'refused'].includes(this.link.mode) && Date.now() / 1000 - this.link.since > CUT_OFF_S;
	}

	/** How the page gets its data now: live, polling (each `everyS`; `why` not live, in a code), reconnecting, refused, paused. */
	setLink(mode, error = null, why = null, everyS = null) {
		const { link } = this;
		if (link.mode === mode && link.error === error && link.why === why && link.everyS === everyS)
			return;
		this.link = { mode, since: link.mode === mode ? link.since : Date.now() / 1000, error, why, everyS };
		this._tell('link', this.link);
	}
}
