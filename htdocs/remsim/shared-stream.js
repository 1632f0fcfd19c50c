/**
 * One event stream for all pages of a browser: the page with the lease has it and passes on what it hears.
 * When that page goes, another one takes over where it stands itself, so nothing is lost.
 */

import { leaseOf } from './lease.js';

const OPEN_MS = 3000;
const MOST_MISSED = 500;
const KINDS = ['reading', 'event', 'job', 'alert', 'lagged'];

export class SharedStream {
	/**
	 * `name`: pages with the same one share; `url()` -> Promise of the stream's address, where this page goes on, or null:
	 * there is none. `hear(kind, data)` a message, `opened()` it is live now, `lost()` it is not any more.
	 */
	constructor({ name, url, hear, opened, lost }) {
		this._url = url;
		this._hear = hear;
		this._opened = opened;
		this._lost = lost;
		const { lease, kind } = leaseOf(name);
		this._lease = lease;
		this.kind = kind;
		this._channel = kind === 'none' ? null : new BroadcastChannel(name);
		if (this._channel)
			this._channel.onmessage = ({ data }) => this._told(data);
		this.role = null;
		this._wants = false;
		this._settle = null;
		this._missed = [];
	}

	/** Whether messages come. */
	get isOpen() { return this.role !== null; }

	/** Lead or follow; answers why not: `none` (no stream for this page), `unreachable`, null when messages come or may still. */
	want() {
		this._settle?.(null);
		const settled = new Promise(resolve => { this._settle = resolve; });
		const limit = setTimeout(() => this._settle?.(null), OPEN_MS + 500);
		if (!this._wants) {
			this._wants = true;
			this._lease.want(() => this._lead(), () => this._revoked());
		}
		this._say({ say: 'who' });
		return settled.finally(() => clearTimeout(limit));
	}

	/** Neither lead nor follow. */
	leave() {
		this._wants = false;
		this.role = null;
		this._missed.length = 0;
		this._close();
		this._lease.give();
		this._done(null);
	}

	destroy() {
		this.leave();
		this._channel?.close();
		this._channel = null;
	}

	_say(message) {
		this._channel?.postMessage(message);
	}

	_done(why) {
		this._settle?.(why);
		this._settle = null;
	}

	/** What another page says. */
	_told({ say, kind, data }) {
		if (say === 'who' && this.role === 'leader')
			this._say({ say: 'open' });
		if (say === 'message' && !this.isOpen) { // what a page that joins has not got with its state
			this._missed.push([kind, data]);
			if (this._missed.length > MOST_MISSED)
				this._missed.shift();
		}
		if (!this._wants || this.role === 'leader')
			return;
		if (say === 'open' && !this.isOpen)
			this._live('follower');
		else if (say === 'message' && this.isOpen)
			this._hear(kind, data);
		else if (say === 'lost' && this.isOpen)
			this._end();
	}

	_live(role) {
		this.role = role;
		this._done(null);
		this._opened();
		for (const [kind, data] of this._missed.splice(0))
			this._hear(kind, data);
	}

	_end() {
		this.leave();
		this._lost();
	}

	async _lead() {
		const isTakingOver = this.role === 'follower';
		let url = null, why = 'none';
		try {
			url = await this._url();
		} catch {
			why = 'unreachable';
		}
		const source = url && this._wants ? new EventSource(url) : null;
		const isOpened = source && await new Promise(resolve => {
			this._close();
			this._source = source;
			const limit = setTimeout(() => resolve(false), OPEN_MS);
			source.onopen = () => { clearTimeout(limit); resolve(true); };
			source.onerror = () => { clearTimeout(limit); resolve(false); };
		});
		if (source && this._source !== source)
			return; // it was left meanwhile, or begun anew
		if (!isOpened) {
			const settle = this._settle;
			this._settle = null;
			this.leave();
			settle?.(source ? 'unreachable' : why);
			if (isTakingOver)
				this._lost();
			return;
		}
		source.onerror = () => { this._say({ say: 'lost' }); this._end(); };
		for (const kind of KINDS)
			source.addEventListener(kind, message => this._pass(kind, JSON.parse(message.data)));
		this._say({ say: 'open' });
		this._live('leader');
	}

	_pass(kind, data) {
		this._lease.touch();
		this._say({ say: 'message', kind, data });
		this._hear(kind, data);
	}

	/** Another page believes that this one is gone, and leads now. */
	_revoked() {
		if (this.role === 'leader')
			this.role = 'follower';
		this._close();
	}

	_close() {
		this._source?.close();
		this._source = null;
	}
}
