/** What is being done to modems now: step, progress, the way back, and how it ended. */

import { el, setText } from './dom.js';
import { duration, epoch, number } from './format.js';

const DONE_S = 12;
const JUST_S = 20;
const ASKED_MS = 1000;

/** Whether a job is still under way. */
export function isRunning(job) {
	return ['running', 'confirming', 'asking'].includes(job.state);
}

/** The job when it has ended, by the stream, or asked for where there is none; as it is when `isOver()`. */
export async function jobEnd(job, store, request, isOver) {
	let now = job;
	while (isRunning(now) && !isOver()) {
		await new Promise(resolve => setTimeout(resolve, ASKED_MS));
		now = store.jobs.get(job.id) || now;
		if (isRunning(now) && store.link.mode !== 'live')
			now = await request(`jobs/${job.id}`);
	}
	return now;
}

/** The job that works on a modem now; null for none. */
export function jobOf(store, modemId) {
	return [...store.jobs.values()].reverse().find(job => job.modem === modemId && isRunning(job)) || null;
}

/** One job, updated in place. */
class JobView {
	constructor(job, store, keeper, options, closed) {
		const t = options.t;
		Object.assign(this, { job, _store: store, _keeper: keeper, _t: t, _closed: closed });
		this.title = el('strong.remsim-job-title');
		this.elapsed = el('span.remsim-job-time');
		this.step = el('p.remsim-job-step', { role: 'status' });
		this.bar = el('progress', { max: 1, 'aria-label': t('Progress') });
		this.count = el('p.remsim-job-count', { hidden: true });
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.keep = el('button.remsim-primary', { type: 'button', click: () => this._decide(true) }, t('Keep'));
		this.undo = el('button', { type: 'button', click: () => this._decide(false) }, t('Undo now'));
		this.abort = el('button', { type: 'button', click: () => this._decide(false) }, t('Abort'));
		this.close = el('button', { type: 'button', click: closed }, t('Close'));
		this.answer = options.links?.page && job.question !== undefined ? el('a.remsim-button.remsim-primary', { href: options.links.page('esim'), hidden: true }, t('Answer')) : null;
		this.root = el('section.remsim-jobview', { 'aria-label': t('Job') },
			el('header', {}, this.title, this.elapsed), this.step, this.bar, this.count, this.error,
			options.readonly ? el('div.remsim-submit', {}, this.close) : el('div.remsim-submit', {}, this.answer, this.keep, this.undo, this.abort, this.close));
		this.update(job);
	}

	update(job) {
		const t = this._t;
		this.job = job;
		const runs = isRunning(job), name = this._store.modems.get(job.modem)?.name;
		this.root.className = `remsim-jobview remsim-jobview-${job.state}`;
		setText(this.title, [name, job.title ? t(job.title) : job.kind.replaceAll('-', ' ')].filter(Boolean).join(': '));
		const ended = { done: t('done'), failed: t('failed'), aborted: t('aborted') }[job.state];
		setText(this.step, ended || (job.step ? t(job.step) : t('beginning')));
		this.bar.hidden = !runs || job.state === 'confirming';
		if (job.progress === null || job.progress === undefined)
			this.bar.removeAttribute('value');
		else
			this.bar.value = job.progress;
		this.bar.setAttribute('aria-valuetext', job.progress === null ? t('under way') : `${number(job.progress * 100)} %`);
		this.keep.hidden = this.undo.hidden = job.state !== 'confirming';
		this.abort.hidden = !['running', 'asking'].includes(job.state) || !job.can_abort;
		if (this.answer)
			this.answer.hidden = job.state !== 'asking';
		this.close.hidden = runs;
		const told = job.error ? `${job.error}${job.hint ? ` – ${job.hint}` : ''}` : '';
		if (told || !runs) {
			this.error.hidden = !told;
			setText(this.error, told);
		}
		this.tick();
	}

	/** Once a second: what moves with the time. */
	tick() {
		const t = this._t, job = this.job, end = job.ended_at ? epoch(job.ended_at) : this._store.now();
		setText(this.elapsed, duration(end - epoch(job.started_at)));
		this.count.hidden = job.state !== 'confirming' || !job.confirm_by;
		if (this.count.hidden)
			return;
		const left = Math.max(0, Math.ceil(epoch(job.confirm_by) - this._store.now())), at = this._keeper.confirmsAt(job);
		if (this._store.isCutOff())
			setText(this.count, t('Undone in %s s unless this page reaches the router.', left));
		else if (at !== null)
			setText(this.count, t('The router is reached: kept in %s s. Without this page it is undone in %s s.', Math.max(0, Math.ceil(at - Date.now() / 1000)), left));
		else
			setText(this.count, t('Undone in %s s unless it is kept.', left));
	}

	async _decide(isKept) {
		const buttons = [this.keep, this.undo, this.abort];
		buttons.forEach(button => { button.disabled = true; });
		this.error.hidden = true;
		try {
			await this._keeper.decide(this.job, isKept);
		} catch (error) {
			this.error.hidden = false;
			setText(this.error, error.hint ? `${error.message} – ${error.hint}` : error.message);
		}
		buttons.forEach(button => { button.disabled = false; });
	}
}

/** The jobs under way, and those that ended while somebody looked; over the page's lower edge, so that nothing jumps. */
export class JobBar {
	/** `concerns(job)`: whether a job is shown here. */
	constructor(store, keeper, options, concerns = job => !!job.modem) {
		Object.assign(this, { _store: store, _keeper: keeper, _options: options, _concerns: concerns });
		this._views = new Map();
		this._dismissed = new Set();
		this.root = el('div.remsim-jobbar', { role: 'region', 'aria-label': options.t('Jobs'), hidden: true });
		this._stop = [store.on('job', () => this.update()), store.on('state', () => this.update())];
	}

	update() {
		const now = this._store.now();
		for (const job of this._store.jobs.values()) {
			if (!this._concerns(job))
				continue;
			const view = this._views.get(job.id), key = `${job.id} ${job.started_at}`;
			if (view && view.job.started_at === job.started_at)
				view.update(job);
			else if (!this._dismissed.has(key) && (isRunning(job) || (this._keeper.isOwn(job) && now - epoch(job.ended_at) < JUST_S)))
				this._add(job, key);
		}
		this.tick();
	}

	_add(job, key) {
		this._views.get(job.id)?.root.remove();
		const view = new JobView(job, this._store, this._keeper, this._options, () => {
			this._dismissed.add(key);
			this._remove(job.id);
		});
		this._views.set(job.id, view);
		this.root.appendChild(view.root);
	}

	_remove(id) {
		this._views.get(id)?.root.remove();
		this._views.delete(id);
		this.root.hidden = !this._views.size;
	}

	tick() {
		for (const [id, view] of this._views) {
			view.tick();
			const { state, ended_at: ended } = view.job;
			if ((state === 'done' || state === 'aborted') && this._store.now() - epoch(ended) > DONE_S && !view.root.contains(document.activeElement))
				this._remove(id);
		}
		this.root.hidden = !this._views.size;
	}

	destroy() {
		this._stop.forEach(stop => stop());
		this.root.remove();
	}
}

/** A result of an action in words: names and values; lists of objects as a table. */
export function resultNodes(result, t) {
	if (result === null || result === undefined)
		return [];
	if (typeof result !== 'object')
		return [el('p', {}, shown(result, t))];
	const entries = Array.isArray(result) ? [['', result]] : Object.entries(result);
	const flat = entries.filter(([, value]) => value === null || typeof value !== 'object' || isFlatList(value));
	const tables = entries.filter(([, value]) => Array.isArray(value) && value.length && !isFlatList(value));
	return [
		flat.length ? el('dl.remsim-facts', {}, flat.map(([name, value]) => el('div', {}, el('dt', {}, words(name, t)), el('dd', {}, shown(value, t))))) : null,
		tables.map(([name, rows]) => table(name ? words(name, t) : null, rows, t))
	];
}

function isFlatList(value) {
	return Array.isArray(value) && value.every(one => one === null || typeof one !== 'object');
}

function shown(value, t) {
	if (value === null || value === undefined || value === '')
		return '–';
	if (typeof value === 'boolean')
		return t(value ? 'yes' : 'no');
	return Array.isArray(value) ? value.map(one => shown(one, t)).join(', ') || '–' : String(value);
}

function words(name, t) {
	return t(name.replaceAll('_', ' '));
}

function table(caption, rows, t) {
	const names = [...new Set(rows.flatMap(row => Object.keys(row)))];
	return el('div.remsim-tablebox', { tabindex: '0', role: 'group', 'aria-label': caption || t('Result') }, el('table.remsim-table', {}, caption ? el('caption', {}, caption) : null,
		el('thead', {}, el('tr', {}, names.map(name => el('th', { scope: 'col' }, words(name, t))))),
		el('tbody', {}, rows.map(row => el('tr', {}, names.map(name => el('td', {}, shown(row[name], t))))))));
}
