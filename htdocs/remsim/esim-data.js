/** What is known of eSIMs: asked for once, again when a job or an event tells of a change, and now and then. No card is asked for it. */

import { AskedData } from './asked-data.js';
import { epoch } from './format.js';
import { isRunning } from './jobs.js';

const AGAIN_MS = { live: 30000, polling: 10000 };
const SHOWN_S = 900;
const KEY = 'remsim.esim';
const MOST = 30;
/** Kinds that are only told of in a line when they have gone well. */
const QUIET = ['esim-read', 'esim-nickname', 'esim-default-smdp', 'esim-iot'];
const OURS = /^esim-/;

/** What this tab remembers over a reload: jobs that were put aside, and what was sent for others; typed codes are money, and not written down. */
function kept() {
	try {
		return { closed: [], sent: {}, ...JSON.parse(sessionStorage.getItem(KEY)) };
	} catch {
		return { closed: [], sent: {} };
	}
}

export class EsimData extends AskedData {
	constructor(options, store, keeper, changed) {
		super(options, store, changed, 'esim', AGAIN_MS);
		Object.assign(this, { _keeper: keeper, _seen: new Map(), _kept: kept() });
	}

	/** Holders by the names that modems have on other pages. */
	get holders() {
		return (this.view?.holders || []).map(holder => ({ ...holder, name: this._store.modems.get(holder.id)?.name || holder.name }));
	}

	get codes() { return this.view?.codes || []; }

	holder(id) {
		return this.holders.find(holder => holder.id === id) || null;
	}

	code(id) {
		return this.codes.find(code => code.id === id) || null;
	}

	/** Whose card may take a profile. */
	get targets() {
		return this.holders.filter(holder => holder.state !== 'no_euicc');
	}

	happened(event) {
		if (event.kind.startsWith('esim'))
			this.soon();
	}

	/** A job began, asks or ended: what a card has may be another thing now. */
	worked(job) {
		if (!OURS.test(job.kind))
			return;
		const before = this._seen.get(job.id);
		this._seen.set(job.id, job.state);
		if (before !== job.state && job.state !== 'asking')
			this.soon();
	}

	/** The job to show at a holder: what is done to it now, else how the last thing that was asked for here ended. */
	jobAt(holderId) {
		const mine = [...this._store.jobs.values()].filter(job => OURS.test(job.kind) && job.modem === holderId).sort((a, b) => epoch(b.started_at) - epoch(a.started_at));
		const under = mine.find(isRunning);
		if (under)
			return under;
		const [last] = mine.filter(job => this._keeper.isOwn(job));
		if (!last || this._kept.closed.includes(last.id) || this._store.now() - epoch(last.ended_at) > SHOWN_S)
			return null;
		return last.state === 'done' && QUIET.includes(last.kind) ? null : last;
	}

	/** Have something done: `sent` is remembered, so that it can be tried again. */
	async begin(path, { method = 'POST', body = {} } = {}, sent = null) {
		const job = await this._options.request(path, { method, body });
		this._keeper.own(job);
		if (sent)
			this._keep({ sent: Object.fromEntries([...Object.entries(this._kept.sent), [job.id, sent]].slice(-MOST)) });
		for (const one of this._store.jobs.values()) {
			if (OURS.test(one.kind) && one.modem === job.modem && one.id !== job.id && one.ended_at)
				this.close(one);
		}
		this._store.takeJob(job);
		this.soon();
		return job;
	}

	/** Download by a code or a kept one, to a holder's card. */
	download(holderId, wish) {
		const sent = { ...wish, holder: holderId };
		delete sent.confirmation_code;
		return this.begin(`esim/${encodeURIComponent(holderId)}/downloads`, { body: wish }, sent);
	}

	/** What a download was begun with; null when this tab does not know. */
	sentFor(job) {
		return this._kept.sent[job.id] || null;
	}

	/** Put a job that has ended aside. */
	close(job) {
		if (!this._kept.closed.includes(job.id))
			this._keep({ closed: [...this._kept.closed, job.id].slice(-MOST) });
	}

	_keep(change) {
		this._kept = { ...this._kept, ...change };
		try {
			const sent = Object.fromEntries(Object.entries(this._kept.sent).filter(([, one]) => !one.code));
			sessionStorage.setItem(KEY, JSON.stringify({ ...this._kept, sent }));
		} catch { /* it is known until the page goes */ }
	}
}

/** Where a holder's things are. */
export function pathOf(holderId, more = '') {
	return `esim/${encodeURIComponent(holderId)}${more}`;
}

/** A profile's place. */
export function profilePath(holderId, profileId, more = '') {
	return pathOf(holderId, `/profiles/${encodeURIComponent(profileId)}${more}`);
}
