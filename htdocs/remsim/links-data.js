/** What is known of links, their rings and their flows: asked for again and again while somebody looks. */

import { AskedData } from './asked-data.js';

const AGAIN_MS = { live: 2000, polling: 3000 };
const RINGS_MS = { live: 4000, polling: 6000 };
const KINDS = /^(link|failover|polic|routing|config$)/;

/** Whether an event may have changed a link. */
export function isOfLinks(event) {
	return KINDS.test(event.kind);
}

export class LinksData extends AskedData {
	constructor(options, store, changed) {
		super(options, store, changed, 'links', AGAIN_MS);
	}

	/** In the order of their priority, as they are tried. */
	get links() {
		return [...this.view?.links || []].sort((a, b) => a.priority - b.priority || a.index - b.index);
	}

	get names() {
		return this.links.map(link => link.name);
	}

	link(name) {
		return this.view?.links.find(link => link.name === name) || null;
	}
}

export class RingsData extends AskedData {
	constructor(options, store, changed) {
		super(options, store, changed, 'links/rings', RINGS_MS);
	}

	get rings() { return this.view?.rings || []; }

	/** The rings of flows that no policy takes. */
	get defaults() { return this.rings.filter(ring => !ring.policy); }
}

export class FlowsData extends AskedData {
	/** `query()`: what of them is wanted. */
	constructor(options, store, changed, query) {
		super({ request: path => options.request(path, { query: query() }) }, store, changed, 'links/flows', AGAIN_MS);
	}
}
