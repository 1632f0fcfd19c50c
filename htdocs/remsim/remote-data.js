/** What is known of remote SIMs: asked for once, again when an event tells of a change, and now and then while it is looked at. */

import { AskedData } from './asked-data.js';

const KINDS = ['remote_sim', 'bankd_reconnect', 'slotmap', 'remsim_server', 'remsim_client', 'ionmesh'];
const AGAIN_MS = { live: 5000, polling: 10000 }; // a router's web server has few slots for who polls

/** Whether an event tells of remote SIMs. */
export function isOfRemoteSim(event) {
	return KINDS.includes(event.kind);
}

/** The kinds as the API takes them. */
export const REMOTE_KINDS = KINDS.join();

/** The way to one slot map: `slotmaps/1:2`, and {query} of the server it is at. */
export function mapPath(map, more = '') {
	return [`remote-sim/slotmaps/${map.bank_id}:${map.bank_slot}${more}`, map.server ? { server: map.server } : {}];
}

export class RemoteData extends AskedData {
	constructor(options, store, changed) {
		super(options, store, changed, 'remote-sim', AGAIN_MS);
	}

	get clients() { return this.view?.clients || []; }
	get maps() { return this.view?.slotmaps || []; }
	get banks() { return this.view?.banks || []; }

	/** All servers, also where only one is told of. */
	get servers() {
		const { servers, server } = this.view || {};
		return servers || (server?.name || server?.url ? [server] : []);
	}

	/** The clients of this router. */
	get ours() {
		return this.clients.filter(client => client.configured !== false);
	}

	/** Whether anything of remote SIM is set up or seen. */
	get isSetUp() {
		return this.servers.length > 0 || this.ours.length > 0 || !!this.view?.ionmesh;
	}

	clientAt(slot) {
		return this.clients.find(client => client.client_slot === slot) || null;
	}

	clientOf(modem) {
		return this.ours.find(client => client.modem === modem) || null;
	}

	/** The map of a client's slot, one that the server has before one that is only wanted. */
	mapOf(clientSlot) {
		const maps = this.maps.filter(map => `${map.client_id}:${map.client_slot}` === clientSlot);
		return maps.find(map => map.state) || maps[0] || null;
	}

	/** The map of a bank's slot. */
	mapAt(bank, slot) {
		return this.maps.find(map => map.bank_id === bank.bank_id && map.bank_slot === slot && (!map.server || !bank.server || map.server === bank.server)) || null;
	}

	/** The bank by its number. */
	bank(id, server = null) {
		return this.banks.find(bank => bank.bank_id === id && (!server || !bank.server || bank.server === server)) || null;
	}

	happened(event) {
		if (isOfRemoteSim(event))
			this.soon();
	}
}

/** An error as one line. */
export function errorText(error) {
	return error.hint ? `${error.message} – ${error.hint}` : error.message;
}
