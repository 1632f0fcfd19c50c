/** Keeps a store fresh: the event stream where it is reachable, else one `state` request a tick. */

import { SharedStream } from './shared-stream.js';

const POLL_MS = 2000;
const RETRY_MS = [1000, 2000, 4000, 8000, 15000];
const SILENT_MS = 40000;
const TRY_STREAM_AGAIN_MS = 60000;

export class Live {
	/** `options.request`, `options.streamUrl(lastId)` (null: no stream, `options.streamWhy()` says why), see dashboard.js. */
	constructor(store, options) {
		this._store = store;
		this._request = options.request;
		this._whyNone = options.streamWhy || (() => null);
		this._usualMs = this._pollMs = options.pollMs || POLL_MS;
		const streamUrl = options.streamUrl || (async () => null);
		this.stream = new SharedStream({
			name: `remsim.stream ${options.apiUrl?.('stream') ?? ''}`,
			url: () => streamUrl(store.lastId),
			hear: (kind, data) => this._take(kind, data),
			opened: () => this._opened(),
			lost: () => this._lost()
		});
		this._timer = null;
		this._watch = null;
		this._tries = 0;
		this._stopped = true;
		this._streamTriedAt = 0;
		this._unsubscribe = store.on('stale', () => this._refreshSoon());
		this._visible = () => {
			if (!document.hidden && !this._stopped && this._store.link.mode !== 'live')
				this._again(0);
		};
	}

	/** Load once, then go live. */
	async start() {
		this._stopped = false;
		document.addEventListener('visibilitychange', this._visible);
		await this._tick();
	}

	/** Ask this often where there is no stream; null: as usual. */
	setPace(pollMs) {
		this._pollMs = pollMs || this._usualMs;
	}

	/** Ask for nothing until `resume`. */
	pause() {
		this._stopped = true;
		if (this.stream.isOpen)
			this._streamTriedAt = 0; // what works is opened again at once
		this._close();
		clearTimeout(this._timer);
		this._store.setLink('paused');
	}

	resume() {
		if (this._stopped) {
			this._stopped = false;
			this._tries = 0;
			this._again(0);
		}
	}

	destroy() {
		this.pause();
		this.stream.destroy();
		this._unsubscribe();
		clearTimeout(this._refreshTimer);
		document.removeEventListener('visibilitychange', this._visible);
	}

	/** Ask for everything again, at most once a second. */
	_refreshSoon() {
		if (this._refreshTimer || this._stopped)
			return;
		this._refreshTimer = setTimeout(() => {
			this._refreshTimer = null;
			this.refresh().catch(() => {});
		}, 300);
	}

	async refresh() {
		const since = this._store.loaded ? this._store.lastId : undefined;
		this._store.takeState(await this._request('state', { query: { since } }));
	}

	_again(delayMs) {
		clearTimeout(this._timer);
		if (!this._stopped)
			this._timer = setTimeout(() => this._tick(), delayMs);
	}

	async _tick() {
		try {
			await this.refresh();
			this._tries = 0;
		} catch (error) {
			this._tries += 1;
			this._store.setLink(error.status === 401 ? 'refused' : 'reconnecting', error instanceof TypeError ? null : error.message); // a TypeError is the browser's own word for no answer
			this._again(RETRY_MS[Math.min(this._tries, RETRY_MS.length) - 1]);
			return;
		}
		if (this._stopped)
			return;
		if (!this.stream.isOpen && Date.now() - this._streamTriedAt > TRY_STREAM_AGAIN_MS) {
			this._streamTriedAt = Date.now();
			this._why = await this.stream.want();
		}
		if (!this.stream.isOpen && !this._stopped) {
			this._store.setLink('polling', null, this._whyNotLive(), this._pollMs / 1000);
			this._again(document.hidden ? this._pollMs * 5 : this._pollMs);
		}
	}

	/** In a code: `full`, `unreachable`, or what the page around knows (`loopback`, `tls` …). */
	_whyNotLive() {
		const { open, max } = this._store.streams;
		if (this._why === 'none')
			return this._whyNone();
		return this._why === 'unreachable' && max && open >= max ? 'full' : this._why;
	}

	_opened() {
		clearTimeout(this._timer);
		this._why = null;
		this._store.setLink('live');
		this._heard();
	}

	/** A message of the stream, this page's own or another one's. */
	_take(kind, data) {
		this._heard();
		if (kind === 'lagged')
			this.refresh().catch(() => this._lost());
		else
			this._store.take(kind, data);
	}

	/** A stream that says nothing for long is dead, whatever the browser believes. */
	_heard() {
		clearTimeout(this._watch);
		this._watch = setTimeout(() => this._lost(), SILENT_MS);
	}

	/** A ticket in the address is spent: a new stream needs a new address, so the browser's own retry is no use. */
	_lost() {
		this._close();
		this._streamTriedAt = 0;
		if (!this._stopped) {
			this._store.setLink('reconnecting');
			this._again(RETRY_MS[0]);
		}
	}

	_close() {
		clearTimeout(this._watch);
		this.stream.leave();
	}
}
