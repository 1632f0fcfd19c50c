/** Keeps a store fresh: the event stream where it is reachable, else one `state` request a tick. */

const POLL_MS = 2000;
const RETRY_MS = [1000, 2000, 4000, 8000, 15000];
const SILENT_MS = 40000;
const TRY_STREAM_AGAIN_MS = 60000;

export class Live {
	/** `options.request`, `options.streamUrl(lastId)` (null: no stream), see dashboard.js. */
	constructor(store, options) {
		this._store = store;
		this._request = options.request;
		this._streamUrl = options.streamUrl || (async () => null);
		this._usualMs = this._pollMs = options.pollMs || POLL_MS;
		this._source = null;
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
		if (this._source)
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
		if (!this._source && Date.now() - this._streamTriedAt > TRY_STREAM_AGAIN_MS)
			await this._open();
		if (!this._source) {
			this._store.setLink('polling');
			this._again(document.hidden ? this._pollMs * 5 : this._pollMs);
		}
	}

	async _open() {
		this._streamTriedAt = Date.now();
		let url = null;
		try {
			url = await this._streamUrl(this._store.lastId);
		} catch {
			return;
		}
		if (!url || this._stopped)
			return;
		const source = new EventSource(url);
		this._source = source;
		const opened = await new Promise(resolve => {
			const limit = setTimeout(() => resolve(false), 3000);
			source.onopen = () => { clearTimeout(limit); resolve(true); };
			source.onerror = () => { clearTimeout(limit); resolve(false); };
		});
		if (!opened || this._stopped) {
			this._close();
			return;
		}
		this._store.setLink('live');
		this._heard();
		source.onerror = () => this._lost();
		const take = (kind, taker) => source.addEventListener(kind, message => {
			this._heard();
			taker(JSON.parse(message.data));
		});
		take('reading', reading => this._store.takeReading(reading));
		take('event', event => this._store.takeEvent(event));
		take('job', job => this._store.takeJob(job));
		take('lagged', () => this.refresh().catch(() => this._lost()));
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
		if (this._source)
			this._source.close();
		this._source = null;
	}
}
