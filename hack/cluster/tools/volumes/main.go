// The provisioner of the cluster's StorageClasses: a volume is a folder of the node that its pod was scheduled to. All nodes
// are on this machine, so it makes and deletes the folders itself, in milliseconds, where a cluster of several machines
// would need a helper pod for each. A class with the parameter fileSystem has in each folder a file system of the size that
// was asked for, which is full when it is full and grows when its claim does.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v10/controller"
)

// folders makes volumes under root/<node>/volumes.
type folders struct{ root string }

func (f folders) Provision(_ context.Context, options controller.ProvisionOptions) (*corev1.PersistentVolume, controller.ProvisioningState, error) {
	if options.SelectedNode == nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("no node is selected: the StorageClass must wait for the first consumer")
	}
	node := options.SelectedNode.Name
	path := filepath.Join(f.root, node, "volumes", options.PVName)
	size := options.PVC.Spec.Resources.Requests[corev1.ResourceStorage]
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	if options.StorageClass.Parameters["fileSystem"] == "xfs" {
		if err := makeFileSystem(path, size.Value()); err != nil {
			return nil, controller.ProvisioningFinished, err
		}
	}
	// Past the umask: a pod that names no fsGroup writes as whatever user it runs as.
	if err := os.Chmod(path, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	volume := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: options.PVName},
		Spec: corev1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *options.StorageClass.ReclaimPolicy,
			AccessModes:                   options.PVC.Spec.AccessModes,
			VolumeMode:                    options.PVC.Spec.VolumeMode,
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: size},
			PersistentVolumeSource:        corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: path}},
			NodeAffinity:                  onNode(options.SelectedNode.Labels[corev1.LabelHostname]),
		},
	}
	return volume, controller.ProvisioningFinished, nil
}

func onNode(hostname string) *corev1.VolumeNodeAffinity {
	here := corev1.NodeSelectorRequirement{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{hostname}}
	terms := []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{here}}}
	return &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: terms}}
}

func (f folders) Delete(_ context.Context, volume *corev1.PersistentVolume) error {
	if volume.Spec.Local == nil {
		return &controller.IgnoredError{Reason: "it is not a folder"}
	}
	path := filepath.Clean(volume.Spec.Local.Path)
	if !strings.HasPrefix(path, f.root+string(filepath.Separator)) || filepath.Base(path) != volume.Name {
		return fmt.Errorf("%s: not a volume's folder under %s", path, f.root)
	}
	if err := removeFileSystem(path); err != nil {
		return err
	}
	return os.RemoveAll(path)
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "file to reach the API server with")
	root := flag.String("root", "", "folder that the nodes' folders are in")
	name := flag.String("provisioner", "", "name that the StorageClass has for this provisioner")
	flag.Parse()
	if err := run(*kubeconfig, filepath.Clean(*root), *name); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(kubeconfig, root, name string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	// A platform asks for a dozen volumes at once: the client's default of 5 requests a second would make it wait.
	config.QPS, config.Burst = 100, 200
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	// Where the commands for file systems are, which not every environment of a user has.
	if err := os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin"); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	go newGrowth(client, name).run(ctx)
	options := []func(*controller.ProvisionController) error{controller.LeaderElection(false), controller.Threadiness(8)}
	controller.NewProvisionController(klog.FromContext(ctx), client, name, folders{root: root}, options...).Run(ctx)
	return nil
}
