"""The simulated cluster: a real Kubernetes control plane and a real istiod, simulated containers.

etcd, kube-apiserver, kube-controller-manager, kube-scheduler and istiod run as local processes;
kwok (https://kwok.sigs.k8s.io) plays the kubelets. It needs no root and no container runtime.

    python -m simcluster up       # start it, or repair it; the kubeconfig is .sim/kubeconfig
    python -m simcluster status
    python -m simcluster logs istiod
    python -m simcluster down     # leaves no process and no file
"""
