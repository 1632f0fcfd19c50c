/** What the widgets of a page share: modems, the period, one cursor, one answer for all series, events of the period. */

import { ChartGroup } from './chart-group.js';
import { RARE_KINDS, markOf } from './chart-marks.js';
import { el } from './dom.js';
import { epoch } from './format.js';
import { RANGES } from './range-bar.js';
import { fetchSeries } from './series.js';
import { WIDGETS } from './dashboard-widgets.js';

const AT_ONCE = 2;
const MOST_SERIES = 64;
const RARE_ONLY_S = 90000;
const EVENTS_A_PAGE = 500;
const EVENT_PAGES = 3;
const MARKS_KEPT = 1500;
const NEAR_PX = 300;

/**
 * A widget is what its module's `make(board, settings, title)` gives: `root`, and of these what it needs: `load()` (asked for
 * when it is near the window and again when period or modems are others), `state()`, `reading(reading)`, `happened(event)`,
 * `marks()`, `tick()` (once a second while seen), `recolour()`, `destroy()`.
 */
export class Board {
	/** `ranges`: the RangeBar of the page, null where there is none. LuCI's server compresses nothing: less is asked for there. */
	constructor({ store, options, ranges = null }) {
		this.store = store;
		this.options = options;
		this.ranges = ranges;
		this.isLean = !!options.throughLuci;
		this.widgets = new Set();
		this.group = new ChartGroup();
		this.eventMarks = [];
		this._wants = [];
		this._queue = [];
		this._running = 0;
		this._life = 0;
		this._first = null;
		this._joined = [];
		this._sight = new IntersectionObserver(entries => entries.forEach(entry => this._seen(entry)), { rootMargin: `${NEAR_PX}px 0px` });
	}

	/** The period of a widget: its own range, or the page's. */
	period(name) {
		const now = this.store.now();
		if (name in RANGES)
			return { from: now - RANGES[name], to: now, live: true, name };
		return this.ranges ? this.ranges.period(now) : { from: now - RANGES['1h'], to: now, live: true, name: '1h' };
	}

	/** The one modem that the page is about; null for all. */
	get focus() {
		return this.ranges && this.store.modems.has(this.ranges.modem) ? this.ranges.modem : null;
	}

	/** The modems of a widget: those of its settings, else the page's. */
	modems(chosen = []) {
		const all = this.store.list();
		if (chosen.length)
			return all.filter(modem => chosen.includes(modem.id));
		return all.filter(modem => this.focus === null || modem.id === this.focus);
	}

	/** The colour of a modem is the same in every chart. */
	colourOf(modem) {
		return [...this.store.modems.keys()].indexOf(modem);
	}

	/** Whether the page gets data now, so that asking for more makes sense. */
	get isLinked() {
		return ['live', 'polling'].includes(this.store.link.mode);
	}

	/** Make a widget's own part; what cannot be made says so in its place. */
	async make(widget, title) {
		let made;
		try {
			const { make } = await WIDGETS[widget.type].load();
			made = await make(this, widget.settings, title);
		} catch (error) {
			made = { root: el('p.remsim-problem', {}, error.message) };
		}
		made.isStale = true;
		return made;
	}

	/** A widget's part is in the page now. */
	join(made) {
		this.widgets.add(made);
		if (made.isChart)
			this._first ??= made; // is there at once, however far down a phone has it
		made.state?.();
		if (!made.load)
			return;
		this._sight.observe(made.root);
		this._joined.push(made);
		if (this._joined.length === 1)
			setTimeout(() => this._look(), 0);
	}

	/** Who of the new ones is near, in one look and before the first frame is drawn; later the observer tells. */
	_look() {
		const joined = this._joined.splice(0).filter(made => this.widgets.has(made));
		const boxes = joined.map(made => made.root.getBoundingClientRect());
		joined.forEach((made, at) => {
			const { top, bottom, width } = boxes[at];
			made.isNear = made === this._first || (width > 0 && top < innerHeight + NEAR_PX && bottom > -NEAR_PX);
			this._freshen(made);
		});
	}

	leave(made) {
		this.widgets.delete(made);
		if (this._first === made)
			this._first = null;
		this._joined = [];
		this._sight.unobserve(made.root);
		made.destroy?.();
	}

	destroy() {
		this._life += 1;
		this._queue = [];
		for (const made of [...this.widgets])
			this.leave(made);
		this._sight.disconnect();
	}

	_seen({ target, isIntersecting }) {
		for (const made of this.widgets) {
			if (made.root === target) {
				made.isNear = isIntersecting || made === this._first;
				this._freshen(made);
			}
		}
	}

	_freshen(made) {
		if (!made.isNear || !made.isStale || !this.store.modems.size)
			return;
		made.isStale = false;
		made.load();
	}

	/** Period or modems are others: who is near the window asks now, the others when they come near. */
	reload() {
		this._marksOf = null;
		for (const made of this.widgets) {
			if (made.load) {
				made.isStale = true;
				this._freshen(made);
			}
		}
	}

	/** Tell the widgets; `hook` is one of theirs. */
	tell(hook, ...values) {
		for (const made of this.widgets)
			made[hook]?.(...values);
	}

	/** Series for one widget; what is asked for in one go goes into one request. A Map as that of `fetchSeries`. */
	series(want) {
		return new Promise((resolve, reject) => {
			this._wants.push({ ...want, resolve, reject });
			if (this._wants.length === 1)
				setTimeout(() => this._ask(), 0);
		});
	}

	_ask() {
		const groups = new Map();
		for (const want of this._wants.splice(0)) {
			const { period, modems } = want;
			const key = `${period.name || `${period.from}-${period.to}`} ${modems}`;
			groups.set(key, [...(groups.get(key) || []), want]);
		}
		for (const wants of groups.values()) {
			const { modems } = wants[0], most = Math.max(1, Math.floor(MOST_SERIES / modems.length));
			let part = [], count = 0;
			for (const want of wants) {
				if (part.length && count + want.measures.length > most) {
					this._batch(part);
					part = [];
					count = 0;
				}
				part.push(want);
				count += want.measures.length;
			}
			this._batch(part);
		}
	}

	async _batch(wants) {
		const [{ period, modems }] = wants, life = this._life;
		const measures = [...new Set(wants.flatMap(want => want.measures))];
		try {
			const found = await this.queued(() => fetchSeries(this.options.request, {
				modems, measures, points: Math.max(...wants.map(want => want.points)), band: !this.isLean, ...(period.name ? { range: period.name } : { from: period.from, to: period.to })
			}));
			if (life === this._life)
				wants.forEach(want => want.resolve(found));
		} catch (error) {
			if (life === this._life)
				wants.forEach(want => want.reject(error));
		}
	}

	/** Do `task` when at most one other is under way. */
	queued(task) {
		return new Promise((resolve, reject) => {
			this._queue.push(() => task().then(resolve, reject));
			this._drain();
		});
	}

	async _drain() {
		if (this._running >= AT_ONCE || !this._queue.length)
			return;
		this._running += 1;
		await this._queue.shift()();
		this._running -= 1;
		this._drain();
	}

	/**
	 * The events of the page's period, asked for once for all widgets: {list, only}; `only` says which kinds are left out
	 * where not all are there. Null after an error. Marks alone (`isList` false) make do with the rare ones where that is dear.
	 */
	events(isList = true) {
		const period = this.period(), isFew = this.isLean && !isList;
		const key = `${period.name || `${period.from}-${period.to}`} ${this.focus}`;
		if (!this._marksOf || this._marksOf.key !== key || (this._marksOf.isFew && !isFew))
			this._marksOf = { key, period, isFew, answer: this._events(period, isFew) };
		return this._marksOf.answer;
	}

	async _events(period, isFew) {
		const life = this._life;
		try {
			// Past a day the changes of cell and technology would hide what matters.
			let isRare = isFew || period.to - period.from > RARE_ONLY_S;
			let found = await this._eventPages(period, isRare ? RARE_KINDS.join() : null);
			if (found.more && !isRare) { // a lane that ends in the middle would say that nothing happened before
				isRare = true;
				found = await this._eventPages(period, RARE_KINDS.join());
			}
			if (life !== this._life)
				return null;
			this._rareOnly = isRare;
			this._setMarks(found.list.filter(event => markOf(event.kind)).map(event => ({ t: epoch(event.at), mark: markOf(event.kind), event })).reverse());
			return { list: found.list, only: isRare ? this.options.t('without changes of cell and technology, which are too many in this period') : null };
		} catch {
			this._marksOf = null;
			return null;
		}
	}

	async _eventPages(period, kind) {
		const list = [];
		let cursor = null;
		for (let page = 0; page < EVENT_PAGES; page++) {
			const query = { from: period.from, to: period.to, limit: EVENTS_A_PAGE, modem: this.focus, kind, cursor, data: 0 };
			const answer = await this.queued(() => this.options.request('events', { query }));
			list.push(...answer.events);
			cursor = answer.next;
			if (cursor === null)
				break;
		}
		return { list, more: cursor !== null };
	}

	_setMarks(marks) {
		this.eventMarks = marks;
		this.tell('marks');
	}

	/** An event came: a mark where the period is live, and whoever wants to know. */
	happened(event) {
		this.tell('happened', event);
		const known = this._marksOf, mark = markOf(event.kind);
		if (!known || !known.period.live || !this.isOfPeriod(event) || !mark || this.eventMarks.some(one => one.event.id === event.id))
			return;
		this._setMarks([...this.eventMarks, { t: epoch(event.at), mark, event }].slice(-MARKS_KEPT));
	}

	/** Whether an event that comes belongs to what is shown. */
	isOfPeriod(event) {
		return !(this._rareOnly && !RARE_KINDS.includes(event.kind)) && (this.focus === null || event.source === this.focus);
	}
}
