/** Keeps a change that this page asked for, by reaching the router after it: who is cut off by it cannot, and so gets the old state back. */

import { epoch } from './format.js';

const HOLD_OFF_MS = 4000;
const AGAIN_MS = 2000;
const KEY = 'remsim.asked';
const MOST = 20;

const nameOf = job => `${job.id} ${job.started_at}`;

function asked() {
	try {
		return JSON.parse(sessionStorage.getItem(KEY)) || [];
	} catch {
		return []; // storage is off: only what this very page asked for is known
	}
}

export class Keeper {
	/** `request` as in dashboard.js. */
	constructor(store, request, { holdOffMs = HOLD_OFF_MS } = {}) {
		this._store = store;
		this._request = request;
		this._holdOffMs = holdOffMs;
		this._own = new Set(asked());
		this._timers = new Map();
		this._undone = new Set();
		this._stop = [
			store.on('job', job => this._look(job)),
			store.on('state', () => store.jobs.forEach(job => this._look(job)))
		];
	}

	/** This page has asked for the job: a reload keeps that. */
	own(job) {
		this._own.add(nameOf(job));
		try {
			sessionStorage.setItem(KEY, JSON.stringify([...this._own].slice(-MOST)));
		} catch { /* it is known until the page goes */ }
		this._look(job);
	}

	isOwn(job) {
		return this._own.has(nameOf(job));
	}

	/** Whether a job that this page asked for is under way: who stops reaching the router now may see it undone. */
	get isWaiting() {
		return [...this._store.jobs.values()].some(job => !job.ended_at && this.isOwn(job));
	}

	/** When the job is confirmed by this page, in seconds; null when it is not to be. */
	confirmsAt(job) {
		return this._timers.get(job.id)?.at ?? null;
	}

	/** The user wants it kept, or (false) undone. */
	async decide(job, isKept) {
		this._forget(job.id);
		if (!isKept)
			this._undone.add(nameOf(job));
		await this._request(`jobs/${job.id}/${isKept ? 'confirm' : 'abort'}`, { method: 'POST' });
	}

	destroy() {
		this._stop.forEach(stop => stop());
		for (const id of [...this._timers.keys()])
			this._forget(id);
	}

	_forget(id) {
		clearTimeout(this._timers.get(id)?.timer);
		this._timers.delete(id);
	}

	_look(job) {
		if (job.state !== 'confirming')
			this._forget(job.id);
		else if (this.isOwn(job) && !this._undone.has(nameOf(job)) && !this._timers.has(job.id))
			this._later(job, this._holdOffMs);
	}

	_later(job, delayMs) {
		this._timers.set(job.id, { at: Date.now() / 1000 + delayMs / 1000, timer: setTimeout(() => this._confirm(job), delayMs) });
	}

	async _confirm(job) {
		try {
			await this._request(`jobs/${job.id}/confirm`, { method: 'POST' });
			this._forget(job.id);
		} catch (error) {
			const isOver = [403, 404, 409].includes(error.status) || this._store.now() > epoch(job.confirm_by);
			if (isOver || !this._timers.has(job.id))
				this._forget(job.id);
			else
				this._later(job, AGAIN_MS);
		}
	}
}
