/** The dashboard: a card a modem, live and past charts on one period, timelines, events. */

import { Bands } from './bands.js';
import { ChartGroup, TimeChart, loadChartJs, markOf } from './charts.js';
import { el, fill, setText } from './dom.js';
import { EventsList } from './events-list.js';
import { bitRate, epoch, number } from './format.js';
import { Keeper } from './keeper.js';
import { LinkState } from './link-state.js';
import { Live } from './live.js';
import { ModemCard } from './modem-card.js';
import { BANDS, mainSignal } from './quality.js';
import { RangeBar } from './range-bar.js';
import { Store } from './store.js';
import { followScheme } from './theme.js';
import { plain } from './words.js';

export { plain };

const CHARTS = [
	{ id: 'rsrp', title: 'RSRP', unit: 'dBm', min: -125, max: -70, lines: [['rsrp_dbm', ''], ['nr_rsrp_dbm', ' 5G', true]] },
	{ id: 'rate', title: 'Throughput', unit: '', min: 0, max: 1e6, format: bitRate, axis: bitRate, axisWidth: 72, lines: [['rx_bits_per_s', ' ↓'], ['tx_bits_per_s', ' ↑', true]] },
	{ id: 'latency', title: 'Latency and jitter', unit: 'ms', min: 0, max: 100, digits: 0, logarithmic: true, lines: [['latency_ms', ''], ['jitter_ms', ' jitter', true]] },
	{ id: 'rsrq', title: 'RSRQ', unit: 'dB', min: -20, max: -3, digits: 1, lines: [['rsrq_db', ''], ['nr_rsrq_db', ' 5G', true]] },
	{ id: 'sinr', title: 'SINR', unit: 'dB', min: -5, max: 30, digits: 1, lines: [['sinr_db', ''], ['nr_sinr_db', ' 5G', true]] },
	{ id: 'rssi', title: 'RSSI', unit: 'dBm', min: -100, max: -50, lines: [['rssi_dbm', '']] },
	{ id: 'loss', title: 'Loss', unit: '%', min: 0, max: 5, digits: 1, lines: [['loss_percent', '']] },
	{ id: 'temperature', title: 'Temperature', unit: '°C', min: 20, max: 70, digits: 0, lines: [['temperature_c', '']] }
];
const TRACKS = [['state', 'state'], ['registration', 'registration'], ['technology', 'technology'], ['sim', 'SIM']];
const READ_TRACKS = { registration: 'registration', technology: 'mode', sim: 'sim' };
const RARE_KINDS = 'connect,disconnect,sim_state,reboot,vanished,error';
const AT_ONCE = 3;
const PAST_PAUSE_S = 3;
const PAST_S = 20;
const RARE_ONLY_S = 90000;
const MARKS_KEPT = 1500;
const EVENTS_A_PAGE = 500;
const EVENT_PAGES = 3;
const TIMELINE_KINDS = ['state', 'registration', 'technology_change', 'recovered', 'service_start'];
const SEED_S = 600;
const SKELETON_MS = 300;

/**
 * Mount the dashboard into `node`.
 *
 * `options`: request(path, {method, query, body}) -> Promise of JSON below /api/v1/, streamUrl(lastId) -> Promise of a URL
 * or null, t(text, ...values) -> translated text, exportUrl(kind, query) -> URL or null, links {wall, modems, modem(id, tab)}, title, login (what to do when not logged in any more), scheme
 * ('auto', 'light', 'dark'), readonly, pollMs. Returns {destroy, pause, resume, isWaiting}.
 */
export async function mount(node, options) {
	const dashboard = new Dashboard(node, { t: plain, exportUrl: () => null, links: {}, scheme: 'auto', ...options });
	await dashboard.start();
	return dashboard;
}

/** Give small lines their last ten minutes, which the page did not see itself. */
export async function seed(store, modems, request) {
	for (const modem of modems) {
		const signal = mainSignal(modem.reading);
		if (!signal || signal.measure === 'rscp_dbm')
			continue;
		try {
			const answer = await request('series', { query: { modem: modem.id, measure: signal.measure, range: SEED_S, points: SEED_S } });
			store.seed(modem.id, signal.measure, answer.points);
		} catch {
			return; // the lines begin with what comes
		}
	}
}

class Dashboard {
	constructor(node, options) {
		this.options = options;
		this.store = new Store();
		this.cards = new Map();
		this.charts = [];
		this._generation = 0;
		this._changed = new Set();
		this._rows = [];
		this._queue = [];
		this._running = 0;
		options.refresh = () => this.live.refresh();
		this._build(node);
		this.live = new Live(this.store, options);
		this.keeper = new Keeper(this.store, options.request); // what was changed on the Modems page is kept here too
		this._stop = [
			this.store.on('state', () => this._state()),
			this.store.on('reading', reading => this._reading(reading)),
			this.store.on('event', event => this._happened(event)),
			this.store.on('job', job => this._job(job)),
			this.store.on('link', () => this._head()),
			followScheme(this.root, options.scheme, () => this.charts.forEach(({ chart }) => chart.recolour()))
		];
		this._hash = () => this.ranges.follow();
		window.addEventListener('hashchange', this._hash);
		this._second = setInterval(() => this._tick(), 1000);
		this._shown = () => { if (!document.hidden) this._tick(); };
		document.addEventListener('visibilitychange', this._shown);
	}

	async start() {
		const skeleton = setTimeout(() => this.root.classList.add('remsim-loading'), SKELETON_MS);
		await this.live.start();
		clearTimeout(skeleton);
		this.root.classList.remove('remsim-loading');
	}

	/** Whether the page gets data now, so that asking for more makes sense. */
	_linked() {
		return ['live', 'polling'].includes(this.store.link.mode);
	}

	pause() { this.live.pause(); }
	resume() { this.live.resume(); }

	/** Whether something that was asked for here needs the page to go on. */
	get isWaiting() { return this.keeper.isWaiting; }

	destroy() {
		this._generation += 1;
		this._queue = [];
		clearInterval(this._second);
		clearTimeout(this._eventTimer);
		document.removeEventListener('visibilitychange', this._shown);
		window.removeEventListener('hashchange', this._hash);
		this.keeper.destroy();
		this.live.destroy();
		this._stop.forEach(stop => stop());
		this.charts.forEach(({ chart }) => chart.destroy());
		this.root.remove();
	}

	_build(node) {
		const t = this.options.t;
		this.summary = el('strong');
		this.rates = el('span.remsim-rates');
		this.linkState = new LinkState(this.store, this.options);
		this.badge = el('span.remsim-simulated', { hidden: true, title: t('These modems are virtual: their replies and drives are recorded from real ones.') }, t('SIMULATED'));
		this.problems = el('div.remsim-problems', { role: 'alert' });
		this.job = el('div.remsim-job', { hidden: true, role: 'status' });
		this.cardBox = el('div.remsim-cards');
		this.ranges = new RangeBar(t, () => {
			this.compare.value = this.focus || '';
			this._load();
		});
		this.compare = el('select', { 'aria-label': t('Modems in the charts'), change: () => this._focused(this.compare.value) });
		this.exportBox = el('span.remsim-export');
		this.chartBox = el('div.remsim-charts');
		this.bands = new Bands(t);
		this.events = new EventsList(this.store, this.options, (from, to) => { this.ranges.zoom(from, to); this.toolbar.scrollIntoView({ block: 'start' }); });
		this.toolbar = el('div.remsim-toolbar', {}, this.ranges.root, this.compare, this.exportBox);
		this.root = el('div.remsim', { pointerdown: pointer => this._pressed(pointer) },
			el('header.remsim-head', {}, this.options.title ? el('h1', {}, t(this.options.title)) : null, this.badge, this.summary, this.rates, this.linkState.root,
				el('span.remsim-links', {}, this.options.links.modems ? el('a', { href: this.options.links.modems }, t('Modems')) : null,
					this.options.links.wall ? el('a', { href: this.options.links.wall }, t('Wall page')) : null)),
			this.problems, this.job, el('h2.remsim-said', {}, t('Modems')), this.cardBox,
			el('h2.remsim-said', {}, t('History')), this.toolbar,
			this.chartBox, this.bands.root, this.events.root);
		fill(node, this.root);
	}

	/** The cursor that a finger left on the charts goes with a touch beside them. */
	_pressed(pointer) {
		if (this.group && !pointer.target.closest('.remsim-canvas, .remsim-band'))
			this.group.setCursor(null);
	}

	/** The answer of `state` came: cards, head, and at the first time the charts. */
	_state() {
		const modems = this.store.list();
		for (const [id, card] of this.cards) {
			if (!this.store.modems.has(id)) {
				card.root.remove();
				this.cards.delete(id);
			}
		}
		for (const modem of modems) {
			const card = this.cards.get(modem.id);
			if (card)
				card.update(modem);
			else {
				const fresh = new ModemCard(modem, this.store, this.options);
				this.cards.set(modem.id, fresh);
				this.cardBox.appendChild(fresh.root);
			}
		}
		this._empty(modems);
		this._head();
		this._problems();
		this._choices(modems);
		for (const job of this.store.jobs.values())
			this._job(job);
		this.events.update();
		const known = modems.map(modem => modem.id).join();
		if (!known)
			loadChartJs().catch(() => {}); // ready for the modem that will be plugged in
		if (known && known !== this._known) {
			this._known = known;
			this._load().then(() => seed(this.store, modems, this.options.request)).then(() => this._cards());
		}
	}

	_cards() {
		for (const [id, card] of this.cards) {
			if (this.store.modems.has(id))
				card.update(this.store.modems.get(id));
		}
	}

	_empty(modems) {
		const t = this.options.t;
		this.toolbar.hidden = this.bands.root.hidden = !modems.length;
		if (modems.length) {
			if (this._nothing)
				this._nothing.remove();
			this._nothing = null;
		} else if (!this._nothing) {
			this._nothing = el('div.remsim-nothing', {}, el('h3', {}, t('No modem was found.')),
				el('p', {}, t('Looked for Quectel, Sierra Wireless and Fibocom modems on USB. Check cable and power; on OpenWrt install kmod-usb-serial-option and kmod-usb-net-qmi-wwan. A modem shows up here within two seconds of being plugged in.')),
				this.options.links.modems ? el('p', {}, el('a', { href: this.options.links.modems }, t('See what is on USB, with a text for a report'))) : null);
			this.cardBox.appendChild(this._nothing);
		}
	}

	_head() {
		const t = this.options.t, modems = this.store.list();
		const online = modems.filter(modem => modem.state === 'online').length;
		if (this.store.loaded)
			setText(this.summary, modems.length ? t('%s of %s online', online, modems.length) : t('No modem'));
		const sum = name => modems.reduce((total, modem) => total + ((modem.state === 'online' && modem.reading && modem.reading[name]) || 0), 0);
		setText(this.rates, online ? `↓ ${bitRate(sum('rx_bits_per_s'))}  ↑ ${bitRate(sum('tx_bits_per_s'))}` : '');
		this.linkState.show();
		this.root.classList.toggle('remsim-cut-off', this.store.isCutOff());
		this.badge.hidden = !this.store.simulated;
	}

	_problems() {
		const told = JSON.stringify(this.store.problems);
		if (told === this._told)
			return; // an alert that is filled again is read out again
		this._told = told;
		fill(this.problems, this.store.problems.map(problem =>
			el('p.remsim-problem', {}, el('strong', {}, problem.message), problem.hint ? ` – ${problem.hint}` : '')));
	}

	_job(job) {
		const t = this.options.t, card = this.cards.get(job.modem);
		if (card)
			card.tick();
		if (job.kind !== 'backfill')
			return;
		this.job.hidden = job.state !== 'running';
		if (job.state === 'running')
			fill(this.job, t('Writing a simulated history: %s %', number((job.progress || 0) * 100)), el('progress', { max: 1, value: job.progress || 0 }));
		else if (job.state === 'done' && this._backfilling) {
			this._load();
			this.live.refresh().catch(() => {});
		}
		this._backfilling = job.state === 'running';
	}

	_choices(modems) {
		const t = this.options.t;
		const wanted = ['', ...modems.map(modem => modem.id)];
		if ([...this.compare.options].map(option => option.value).join() !== wanted.join())
			fill(this.compare, el('option', { value: '' }, t('compare all')), modems.map(modem => el('option', { value: modem.id }, modem.name)));
		this.compare.value = this.focus || '';
	}

	/** The one modem in the charts; null for all. */
	get focus() {
		return this.store.modems.has(this.ranges.modem) ? this.ranges.modem : null;
	}

	_focused(id) {
		this.ranges.chooseModem(id || null);
	}

	_shownModems() {
		return this.store.list().filter(modem => this.focus === null || modem.id === this.focus);
	}

	/** Fetch and draw all charts for the chosen period; the first chart first. */
	async _load() {
		const generation = ++this._generation;
		this._queue = [];
		if (!this.store.modems.size)
			return;
		const ChartJs = await loadChartJs();
		if (generation !== this._generation)
			return;
		if (!this.charts.length)
			this._makeCharts(ChartJs);
		const period = this.ranges.period(this.store.now());
		this._period = period;
		this._loadedAt = this._pastAt = Date.now() / 1000;
		this._exports(period);
		const drawn = this.charts.map(one => this._chart(one, period, generation));
		await drawn[0];
		await Promise.all([...drawn, this._marks(period, generation), this._timelines(period, generation)]);
	}

	_makeCharts(ChartJs) {
		const t = this.options.t;
		this.group = new ChartGroup();
		this.group.onZoom = (from, to) => this.ranges.zoom(from, to);
		this.group.onEvent = event => this.events.open(event);
		this.bands.join(this.group);
		this.charts = CHARTS.map(spec => {
			const chart = new TimeChart({ ...spec, title: t(spec.title), t }, this.group, ChartJs);
			this.chartBox.appendChild(chart.root);
			return { spec, chart };
		});
	}

	async _chart({ spec, chart }, period, generation) {
		const modems = this._shownModems();
		const wanted = modems.flatMap(modem => spec.lines.map(([measure, suffix, dash]) => ({ modem, measure, suffix, dash })));
		const answers = await Promise.all(wanted.map(one => this._ask('series', {
			modem: one.modem.id, measure: one.measure, points: Math.max(200, Math.min(1200, Math.round((chart.root.clientWidth || 600) * 1.2))),
			...(period.name ? { range: period.name } : { from: period.from, to: period.to })
		}, generation)));
		if (generation !== this._generation)
			return;
		const series = [...this.store.modems.keys()];
		const lines = [];
		let reason = null, stepS = 1;
		wanted.forEach((one, at) => {
			const answer = answers[at];
			if (!answer)
				return;
			if (answer.error) {
				reason = answer.error;
				return;
			}
			reason ||= answer.reason;
			if (answer.points.some(point => point[2] !== null) || one.suffix === '' || one.suffix === ' ↓') {
				stepS = Math.max(stepS, answer.step_s);
				const label = modems.length > 1 || one.suffix ? `${one.modem.name}${one.suffix}` : one.modem.name;
				lines.push({ label, series: series.indexOf(one.modem.id), dash: one.dash, points: answer.points, measure: one.measure, modem: one.modem.id, periodS: one.modem.effective_period_s });
			}
		});
		chart.qualityBands = modems.length === 1 ? BANDS[spec.lines[0][0]] || null : null;
		chart.show(lines, period.from, period.to, stepS, reason);
		const url = this.options.exportUrl('csv', { ...this._exported(period), measure: spec.lines.map(line => line[0]).join(',') });
		link(chart.exports, 'a', url, 'CSV', this.options.t('%s as CSV', this.options.t(spec.title)));
	}

	/** One request of a few at a time; an error is an answer too. */
	_ask(path, query, generation) {
		return new Promise(resolve => {
			this._queue.push(async () => {
				if (generation !== this._generation) {
					resolve(null);
					return;
				}
				try {
					resolve(await this.options.request(path, { query }));
				} catch (error) {
					resolve({ error: error.message });
				}
			});
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

	async _marks(period, generation) {
		// Past a day the changes of cell and technology would hide what matters.
		let isRare = period.to - period.from > RARE_ONLY_S;
		let events = await this._eventsOf(period, isRare ? RARE_KINDS : null, generation);
		if (events && events.more && !isRare) { // a lane that ends in the middle would say that nothing happened before
			isRare = true;
			events = await this._eventsOf(period, RARE_KINDS, generation);
		}
		if (!events || generation !== this._generation)
			return;
		this._rareOnly = isRare;
		this.events.show(events.list, isRare ? this.options.t('without changes of cell and technology, which are too many in this period') : null);
		const marks = events.list.filter(event => markOf(event.kind)).map(event => ({ t: epoch(event.at), mark: markOf(event.kind), event }));
		this._eventMarks = marks.reverse();
		this.charts.forEach(({ chart }) => chart.setEvents(this._eventMarks));
	}

	/** {list, more: whether there are older ones still} of a period's events; null after an error. */
	async _eventsOf(period, kind, generation) {
		const list = [];
		let cursor = null;
		for (let page = 0; page < EVENT_PAGES; page++) {
			const answer = await this._ask('events', { from: period.from, to: period.to, limit: EVENTS_A_PAGE, modem: this.focus, kind, cursor }, generation);
			if (!answer || answer.error)
				return null;
			list.push(...answer.events);
			cursor = answer.next;
			if (cursor === null)
				break;
		}
		return { list, more: cursor !== null };
	}

	/** The timelines of all modems shown, or of `only` those while the others move on as they are. */
	async _timelines(period, generation, only = null) {
		const before = new Map(this._rows.map(row => [`${row.id} ${row.track}`, row]));
		const rows = this._shownModems().flatMap(modem => TRACKS.map(([track, label]) => ({ modem: modem.name, id: modem.id, track, label: this.options.t(label) })));
		const known = await Promise.all(rows.map(async row => {
			const old = before.get(`${row.id} ${row.track}`);
			if (only && old && !only.has(row.id) && !only.has('remsim'))
				return { ...row, segments: lengthened(old.segments, period.to) };
			const answer = await this._ask('timeline', { modem: row.id, track: row.track, from: period.from, to: period.to }, generation);
			return { ...row, segments: (answer && answer.segments) || (old ? lengthened(old.segments, period.to) : []) };
		}));
		if (generation !== this._generation)
			return;
		this._rows = known;
		this.bands.show(period.live ? known.map(row => this._withNow(row)) : known, period.from, period.to);
	}

	/** The journal tells changes; what has not changed since the modem came online is known from its reading. */
	_withNow(row) {
		const modem = this.store.modems.get(row.id), reading = modem && modem.reading;
		const value = reading ? reading[READ_TRACKS[row.track]] ?? null : null;
		const last = row.segments[row.segments.length - 1];
		if (value === null || !last || last.value !== null || modem.state !== 'online' || !modem.online_since)
			return row;
		const since = epoch(modem.online_since) > epoch(last.from) ? modem.online_since : last.from;
		return { ...row, segments: [...row.segments.slice(0, -1), { ...last, to: since }, { from: since, to: last.to, value }] };
	}

	_exports(period) {
		const t = this.options.t;
		for (const kind of ['csv', 'json'])
			link(this.exportBox, 'a.remsim-button', this.options.exportUrl(kind, this._exported(period)), t('Export %s', kind.toUpperCase()));
	}

	/** What an export of the page holds: its modems and its period. */
	_exported(period) {
		return { modem: this.focus, ...(period.name ? { range: period.name } : { from: period.from, to: period.to }) };
	}

	_reading(reading) {
		const modem = this.store.modems.get(reading.modem), card = this.cards.get(reading.modem);
		if (!modem || !card || document.hidden)
			return;
		card.update(modem);
		this._head();
		this._dirty = true;
	}

	_eventsSoon() {
		clearTimeout(this._eventTimer);
		this._eventTimer = setTimeout(() => {
			this.events.update();
		}, 200);
	}

	/** A mark for what happened now; the timelines of its modem are asked for with the next `_past`. */
	_happened(event) {
		this._eventsSoon();
		if (!this._period || !this._period.live || !this._eventMarks)
			return;
		if (RARE_KINDS.split(',').includes(event.kind) || TIMELINE_KINDS.includes(event.kind))
			this._changed.add(event.source);
		const mark = markOf(event.kind);
		if ((this._rareOnly && !RARE_KINDS.split(',').includes(event.kind)) || (this.focus !== null && event.source !== this.focus))
			return;
		this.events.add(event);
		if (!mark || this._eventMarks.some(known => known.event.id === event.id))
			return;
		this._eventMarks = [...this._eventMarks, { t: epoch(event.at), mark, event }].slice(-MARKS_KEPT);
		this.charts.forEach(({ chart }) => chart.setEvents(this._eventMarks));
	}

	/** Timelines of a live period move on; only those of modems to which something happened are asked for. */
	_past() {
		this._pastAt = Date.now() / 1000;
		const modems = this._changed, now = this.store.now();
		this._changed = new Set();
		const period = { ...this._period, from: now - (this._period.to - this._period.from), to: now };
		this._timelines(period, this._generation, modems);
	}

	/** Once a second: ages, and the live charts move on. */
	_tick() {
		if (document.hidden)
			return;
		for (const card of this.cards.values())
			card.tick();
		if (['reconnecting', 'refused'].includes(this.store.link.mode))
			this._head();
		if (!this._period || !this._period.live || !this.charts.length)
			return;
		if (this._rows.length && this._linked() && Date.now() / 1000 - this._pastAt > (this._changed.size ? PAST_PAUSE_S : PAST_S))
			this._past();
		const now = this.store.now(), span = this._period.to - this._period.from;
		if (span > 3600) {
			if (this._linked() && Date.now() / 1000 - this._loadedAt > Math.max(30, span / 1000))
				this._load();
			return;
		}
		if (!this._dirty)
			return;
		this._dirty = false;
		for (const { chart } of this.charts) {
			const additions = chart.lines.flatMap(line => {
				line.periodS = (this.store.modems.get(line.modem) || line).effective_period_s;
				const last = line.points.length ? line.points[line.points.length - 1][0] : 0;
				return this.store.since(line.modem, last).map(row => [line, row.t, row.reading[line.measure] ?? null]);
			});
			chart.append(additions, now - span, now);
		}
	}
}

/** A download link that keeps its element, and with it the keyboard's place, while its address changes. */
function link(box, tag, url, text, label = null) {
	const old = [...box.children].find(child => child.textContent === text);
	if (old && url)
		old.href = url;
	else if (old)
		old.remove();
	else if (url)
		box.appendChild(el(tag, { href: url, download: '', 'aria-label': label }, text));
}

/** Segments of which the last one goes on. */
function lengthened(segments, to) {
	return segments.map((segment, at) => at < segments.length - 1 ? segment : { ...segment, to: new Date(to * 1000).toISOString() });
}
