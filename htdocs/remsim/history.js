/** History: charts under one range bar, timelines, notes and events of any period up to thirteen months. */

import { Annotations } from './annotations.js';
import { Asking } from './asking.js';
import { Bands, trackWords } from './bands.js';
import { ChartGroup } from './chart-group.js';
import { loadChartJs } from './chart-library.js';
import { RARE_KINDS } from './chart-marks.js';
import { el, fill } from './dom.js';
import { download } from './download.js';
import { EventsList } from './events-list.js';
import { Frame } from './frame.js';
import { Choice } from './history-choice.js';
import { CHARTS, HELP, measuresOf } from './history-charts.js';
import { askCounted, askSeries, askTimelines, bounds, bucketOf, ids, isHourly, measuresAsked } from './history-data.js';
import { countBars, groupsOf, hourBars, lanesOf, linesOf, unusualOf, usageBars, wasOff } from './history-lines.js';
import { PointBar, changesAround, fillChanges } from './history-point.js';
import { Stack } from './history-stack.js';
import { qualityPercent } from './link-quality.js';
import { eventsOf, marksOf } from './period-events.js';
import { BANDS } from './quality.js';
import { RangeBar } from './range-bar.js';
import { msg } from './words.js';

const TRACKS = [['state', msg('state')], ['registration', msg('registration')], ['technology', msg('technology')], ['sim', msg('SIM')], ['sim_slot', msg('SIM slot')], ['band', msg('band')], ['cell', msg('cell')]];
const LIVE_S = 3600;
const REFRESH_S = 30;
const SETTLE_MS = 250;
const LEAST_POINTS = 200;
const MOST_POINTS = 1000;
const DAY_S = 86400;

/** Mount the page into `node`; `options` as for Frame. */
export async function mount(node, options) {
	const page = new History(node, options);
	await page.start();
	return page;
}

class History extends Frame {
	constructor(node, options) {
		super(node, options, 'remsim-history');
		const { t, readonly } = this.options;
		this.asking = new Asking(this.options.request);
		this.group = new ChartGroup();
		this.choice = new Choice(t, () => this._load(), () => this._strips());
		this.ranges = new RangeBar(t, () => this._soon());
		this.ranges.modem = null; // the choice has it
		const zoom = (from, to) => { this.ranges.zoom(from, to); this.toolbar.scrollIntoView({ block: 'start' }); };
		this.notes = new Annotations(this.store, this.options, { changed: notes => this._noted(notes), show: zoom });
		this.bands = new Bands(t);
		this.bands.join(this.group);
		this.events = new EventsList(this.store, this.options, zoom);
		this.point = new PointBar(t, {
			changed: time => this._whatChanged(time), note: readonly ? null : time => this.notes.write(null, time), zoom, left: () => this.group.pin(null)
		});
		this.exportBox = el('span.remsim-export');
		this.toolbar = el('div.remsim-toolbar', {}, this.ranges.root, this.exportBox);
		this.said = el('div.remsim-history-said', { role: 'status' });
		this.stackBox = el('div.remsim-charts-of-history');
		const help = el('details.remsim-chart-choice', {}, el('summary', {}, t('How to use the charts')), el('ul', {}, HELP.map(text => el('li', {}, t(text)))));
		this.choice.root.append(help);
		fill(this.body, this.toolbar, this.choice.root, this.said, el('h2.remsim-said', {}, t('Charts')), this.stackBox, this.bands.root, this.notes.root, this.events.root, this.point.root);
		this.root.addEventListener('pointerdown', pointer => this._pressed(pointer));
		Object.assign(this.group, {
			onZoom: (from, to) => this.ranges.zoom(from, to),
			onWhole: () => this.ranges.choose(this.ranges.range),
			onEvent: event => { this.point.close(); this.events.open(event); },
			onNote: note => this.notes.open(note),
			onPoint: time => { this.group.pin(time); this.point.open(time, this.store.now()); }
		});
		this._marks = [];
		this._noteMarks = [];
		this._hash = () => { this.choice.follow(); this.ranges.modem = null; this.ranges.follow(); };
		window.addEventListener('hashchange', this._hash);
		loadChartJs().catch(() => {}); // while the modems are asked for
	}

	destroy() {
		this.asking.begin();
		clearTimeout(this._settling);
		window.removeEventListener('hashchange', this._hash);
		this.stack?.destroy();
		super.destroy();
	}

	recolour() {
		this.stack?.recolour();
	}

	/** The cursor that a finger left on the charts goes with a touch beside them. */
	_pressed(pointer) {
		if (!pointer.target.closest('.remsim-canvas, .remsim-band, .remsim-point, .remsim-event-detail, dialog'))
			this.point.root.hidden ? this.group.setCursor(null) : this.point.close();
	}

	/** The modems are known, or others than before. */
	changed() {
		const modems = this.store.list(), known = modems.map(modem => `${modem.id} ${modem.name}`).join();
		this.choice.offer(modems);
		this.events.update();
		if (known !== this._known) {
			this._known = known;
			this._load();
		}
	}

	/** Keys that are held and wheels of fingers ask for many periods; the last one counts, and no answer for one before it is drawn. */
	_soon() {
		clearTimeout(this._settling);
		this.asking.begin();
		this.stack?.forget();
		const quiet = Date.now() - (this._asked || 0) > SETTLE_MS;
		this._asked = Date.now();
		this._settling = setTimeout(() => this._load(), quiet ? 0 : SETTLE_MS);
	}

	/** Fetch and draw what is chosen. */
	async _load() {
		const t = this.options.t, isLast = this.asking.begin();
		const modems = this.choice.of(this.store.list()), charts = this.choice.wanted();
		this.choice.offer(this.store.list());
		if (!this.store.loaded || !modems.length) {
			this._say([]);
			return;
		}
		let ChartJs;
		try {
			ChartJs = await loadChartJs();
		} catch (error) {
			fill(this.stackBox, el('p.remsim-problem', {}, t('The charts cannot be shown: %s. Load the page again.', error.message)));
			return;
		}
		if (!isLast())
			return;
		if (!this.stack) {
			this.stack = new Stack(this.group, ChartJs, t);
			fill(this.stackBox, this.stack.root);
		}
		const period = this.period = this.ranges.period(this.store.now());
		this._shown = { modems, charts };
		this._loadedAt = Date.now() / 1000;
		this.stack.want(charts);
		this._exports(period, modems, charts);
		await this._series(period, modems, charts, isLast); // the charts first: a router answers one question quicker than five
		await Promise.all([
			this._timelines(period, modems, isLast),
			this._events(period, modems, isLast),
			this.notes.load(this.asking, { modems: ids(modems), ...bounds(period) }),
			this._counted(period, modems, charts, isLast)
		]);
		if (isLast())
			this._say(this._sentences(period, modems));
	}

	async _series(period, modems, charts, isLast) {
		const t = this.options.t, { from, to } = period, order = ids(this.store.list());
		const shift = this.choice.shiftS(to - from);
		const { series, earlier, threshold, failed } = await askSeries(this.asking, { period, modems, measures: measuresAsked(period, charts), points: this._points(), shift, anomalies: this.choice.showsUnusual });
		if (!isLast())
			return;
		for (const chart of charts.filter(one => !one.bars)) {
			const drawn = linesOf(chart, modems, order, series, earlier, t, this.choice.compare === 'week' ? t('last week') : t('the period before'));
			const place = this.stack.places.get(chart.id);
			place.chart.qualityBands = chart.bands && modems.length === 1 && !shift ? BANDS[chart.lines[0][0]] : null;
			this.stack.show(chart.id, failed ? { lines: [], why: [[null, failed]] } : drawn, from, to);
			const unusual = unusualOf(chart, modems, series);
			this.stack.unusual(chart.id, unusual || [], unusual && (unusual.length
				? t('%s unusual: further than %s × the usual distance (1.4826 MAD) from the median of a quarter of the points around', unusual.length, threshold)
				: t('nothing unusual: all within %s × the usual distance (1.4826 MAD) from the median of a quarter of the points around', threshold)));
		}
		if (isHourly(period, charts))
			this._bars('usage', { error: failed }, bucketOf(period), { lines: hourBars(modems, order, series, t) }, period);
		this._failed = failed;
		this.stack.each(chart => { chart.setEvents(this._marks); chart.setNotes(this._noteMarks); });
		this._strips();
	}

	/** As many points as there are pixels. */
	_points() {
		return Math.max(LEAST_POINTS, Math.min(MOST_POINTS, this.stackBox.clientWidth || LEAST_POINTS));
	}

	async _timelines(period, modems, isLast) {
		const t = this.options.t, { from, to } = period;
		const found = await askTimelines(this.asking, { period, modems, tracks: TRACKS.map(([track]) => track), points: this._points() });
		if (!isLast() || !found)
			return;
		this._tracks = found;
		const rows = modems.flatMap(modem => TRACKS.map(([track, label]) => ({ modem: modem.name, track, label: t(label), segments: found.get(`${modem.id} ${track}`) || [] })));
		this.bands.show(rows.filter(({ track, segments }) => track === 'state' || segments.some(one => one.value !== null)), from, to);
		this._strips();
	}

	/** Cells, bands or technologies as strips in the charts whose values depend on them. */
	_strips() {
		if (!this.stack || !this._tracks)
			return;
		const { strips } = this.choice, t = this.options.t;
		const words = value => strips === 'technology' ? trackWords(strips, value, t) : strips === 'band' ? t('band %s', value) : t('cell %s', value);
		const lanes = strips === 'none' ? [] : lanesOf(strips, this._shown.modems, this._tracks, words);
		for (const { spec, chart } of this.stack.places.values()) {
			if (spec.strips)
				chart.setLanes(lanes);
		}
	}

	async _events(period, modems, isLast) {
		const t = this.options.t;
		const found = await eventsOf(this.asking, { ...bounds(period), modem: modems.length === 1 ? modems[0].id : null });
		if (!isLast() || !found)
			return;
		const shown = [...ids(modems), 'remsim'], list = found.list.filter(event => shown.includes(event.source));
		this._isRare = found.isRare;
		this._marks = marksOf(list);
		this.stack.each(chart => chart.setEvents(this._marks));
		this.events.show(list, found.isRare ? t('without changes of cell and technology, which are too many in this period') : null);
	}

	/** Bars: data used a day, and events an hour or day. */
	async _counted(period, modems, charts, isLast) {
		const t = this.options.t, order = ids(this.store.list());
		const [usage, counts] = await askCounted(this.asking, { period, modems, charts });
		if (!isLast())
			return;
		if (usage)
			this._bars('usage', usage, DAY_S, usage.error ? {} : { lines: usageBars(usage.usage, modems, order, t) }, period);
		for (const chart of counts ? charts.filter(one => one.bars === 'counts') : [])
			this._bars(chart.id, counts, counts.bucket_s, counts.error ? {} : countBars(chart, counts, modems, order, t), period);
	}

	_bars(id, answer, stepS, { lines = [], why = [] }, { from, to }) {
		const nothing = [[null, answer?.error || this.options.t('nothing was counted in this period')]];
		this.stack.show(id, { lines, stepS, why: lines.length || why.length ? why : nothing }, from, to);
		this.stack.each(chart => { chart.setEvents(this._marks); chart.setNotes(this._noteMarks); });
	}

	_noted(notes) {
		this._noteMarks = notes;
		this.stack?.each(chart => chart.setNotes(notes));
	}

	_exports(period, modems, charts) {
		const t = this.options.t, { points } = groupsOf(modems, measuresAsked(period, charts), this._points()), shown = measuresOf(charts);
		const asked = measures => ({ modem: ids(modems).join(), measure: measures.join(), points, ...bounds(period) });
		for (const kind of ['csv', 'json'])
			download(this.exportBox, 'a.remsim-button', shown.length ? this.options.exportUrl(kind, asked(shown)) : null, t('Export %s', kind.toUpperCase()));
		for (const chart of charts.filter(one => !one.bars))
			this.stack.exported(chart.id, this.options.exportUrl('csv', asked(measuresOf([chart]))));
	}

	/** What is to be said of the page as a whole: [content of a paragraph, …]. */
	_sentences(period, modems) {
		const t = this.options.t, unknown = this.choice.unknown(this.store.list());
		const told = unknown.map(id => t('The modem %s is not known here; all others are shown. What was recorded of it stays in the exports.', id));
		if (!this._shown.charts.length)
			told.push(t('No chart is chosen. Choose some under “Charts and colours”.'));
		else if (this._failed)
			told.push([t('The charts could not be asked for: %s', this._failed), el('button', { type: 'button', click: () => this._load() }, t('Try again'))]);
		else if (this.stack.isEmpty) {
			this.stack.hideZeros(t('nothing was recorded in this period'));
			this.stack.absent.hidden = true; // one sentence says it for all
			told.push(this._tracks && wasOff(modems, this._tracks, period.from, period.to)
				? t('The service was not running in this period, so nothing was recorded. Choose another one.')
				: t('Nothing was recorded in this period. What is read from now on shows up here; choose a shorter period to watch it.'));
		}
		return told;
	}

	_say(told) {
		const t = this.options.t, isWithout = this.store.loaded && !this.store.list().length;
		const job = [...this.store.jobs.values()].find(one => one.kind === 'backfill' && one.state === 'running');
		fill(this.said, isWithout ? el('div.remsim-nothing', {}, el('h2', {}, t('No modem was found.')), el('p', {}, t('Its history begins here when it is plugged in.')),
			this.options.links.modems ? el('p', {}, el('a', { href: this.options.links.modems }, t('See what is on USB'))) : null) : null,
		job ? el('p', {}, t('A simulated history is being written; the charts show it when it is done.')) : null, told.map(content => el('p', {}, content)));
		this.toolbar.hidden = this.choice.root.hidden = this.bands.root.hidden = this.notes.root.hidden = this.events.root.hidden = isWithout;
	}

	_whatChanged(time) {
		const t = this.options.t, values = el('div', {}, el('p.remsim-absent', {}, t('Looking …')));
		this.point.close();
		this.group.pin(time);
		fillChanges(values, changesAround(this.options.request, time, this.store.now(), this._shown.modems, CHARTS), t);
		this.events.openAt(time, el('div', {}, el('h4', {}, t('Values, mean of 5 minutes before → after')), values));
	}

	heard() {
		this._dirty = true;
	}

	/** A mark for what happened now. */
	happened(event) {
		if (!this.period || !this.period.live || !this._shown)
			return;
		if ((this._isRare && !RARE_KINDS.includes(event.kind)) || ![...ids(this._shown.modems), 'remsim'].includes(event.source))
			return;
		this.events.add(event);
		this.events.update();
		if (this._marks.some(known => known.event.id === event.id))
			return;
		this._marks = [...this._marks, ...marksOf([event])];
		this.stack.each(chart => chart.setEvents(this._marks));
	}

	worked(job) {
		if (job.kind === 'backfill' && job.state !== this._backfill) {
			this._backfill = job.state;
			this._load();
		}
	}

	/** Live charts move on; longer ones are asked for again now and then, unless somebody is reading off them. */
	tick() {
		const { period } = this;
		if (!period || !period.live || !this.stack || !['live', 'polling'].includes(this.store.link.mode))
			return;
		const now = this.store.now(), span = period.to - period.from;
		if (Date.now() / 1000 - this._loadedAt > Math.max(REFRESH_S, span / 1000)) {
			if (this.group.cursor === null && !this.root.querySelector('dialog'))
				this._load();
			return;
		}
		if (span > LIVE_S || !this._dirty || this.group.cursor !== null)
			return;
		this._dirty = false;
		this.stack.each(chart => chart.append(chart.lines.filter(line => !line.earlier && line.measure).flatMap(line => {
			const last = line.points.length ? line.points[line.points.length - 1][0] : 0;
			const value = reading => line.measure === 'quality_percent' ? qualityPercent(reading) : reading[line.measure] ?? null;
			return this.store.since(line.modem, last).map(row => [line, row.t, value(row.reading)]);
		}), now - span, now));
	}
}
