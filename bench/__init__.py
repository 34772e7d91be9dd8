"""How long it takes from bare hosts to a cluster, and for what comes afterwards: Kubikk, its peers, and the floor."""
