/** What an address of the API tells: asked for once, again when something tells of a change, and now and then while it is looked at. */

const SOON_MS = 300;
const LEAST_MS = 1000;

export class AskedData {
	/** `changed()` is called after each answer; `options` and `store` as pages have them; `againMs` by how the page is kept up to date. */
	constructor(options, store, changed, address, againMs) {
		Object.assign(this, { _options: options, _store: store, _changed: changed, _address: address, _againMs: againMs, _askedAt: 0, view: null, error: null });
	}

	destroy() {
		clearTimeout(this._timer);
		this._isOver = true;
	}

	async load() {
		const asked = this._asked = {};
		this._askedAt = Date.now();
		try {
			const view = await this._options.request(this._address);
			if (asked !== this._asked || this._isOver)
				return;
			this.view = view;
			this.error = null;
		} catch (error) {
			if (asked !== this._asked || this._isOver)
				return;
			this.error = error;
		}
		this._changed();
	}

	/** Ask again in a moment: what tells of changes comes in bursts. */
	soon() {
		this._timer ??= setTimeout(() => {
			this._timer = null;
			this.load();
		}, Math.max(SOON_MS, this._askedAt + LEAST_MS - Date.now()));
	}

	/** Called each second while the page is seen. */
	tick() {
		if (this._askedAt && Date.now() - this._askedAt > this._againMs[this._store.link.mode])
			this.load();
	}
}
