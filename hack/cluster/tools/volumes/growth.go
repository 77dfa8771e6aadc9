package main

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

// Written on every volume by the library that provisions them.
const provisionedBy = "pv.kubernetes.io/provisioned-by"

// growth does for claims that ask for more what the resizer of a driver does: the API server lets only those of a class
// with allowVolumeExpansion ask.
type growth struct {
	client      kubernetes.Interface
	provisioner string
	queue       workqueue.TypedRateLimitingInterface[cache.ObjectName]
}

func newGrowth(client kubernetes.Interface, provisioner string) *growth {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[cache.ObjectName](time.Second, time.Minute)
	return &growth{client, provisioner, workqueue.NewTypedRateLimitingQueue(limiter)}
}

func (g *growth) run(ctx context.Context) {
	factory := informers.NewSharedInformerFactory(g.client, 0)
	enqueue := func(object any) {
		if claim, ok := object.(*corev1.PersistentVolumeClaim); ok {
			g.queue.Add(cache.MetaObjectToName(claim))
		}
	}
	handler := cache.ResourceEventHandlerFuncs{AddFunc: enqueue, UpdateFunc: func(_, object any) { enqueue(object) }}
	if _, err := factory.Core().V1().PersistentVolumeClaims().Informer().AddEventHandler(handler); err != nil {
		klog.FromContext(ctx).Error(err, "claims cannot be watched: no volume grows")
		return
	}
	factory.Start(ctx.Done())
	context.AfterFunc(ctx, g.queue.ShutDown)
	for {
		name, stopped := g.queue.Get()
		if stopped {
			return
		}
		if err := g.grow(ctx, name); err != nil {
			klog.FromContext(ctx).Error(err, "a volume does not grow", "claim", name)
			g.queue.AddRateLimited(name)
		} else {
			g.queue.Forget(name)
		}
		g.queue.Done(name)
	}
}

func (g *growth) grow(ctx context.Context, name cache.ObjectName) error {
	claims := g.client.CoreV1().PersistentVolumeClaims(name.Namespace)
	claim, err := claims.Get(ctx, name.Name, metav1.GetOptions{})
	if err != nil || claim.Spec.VolumeName == "" || claim.Status.Phase != corev1.ClaimBound {
		return ignoreGone(err)
	}
	volume, err := g.client.CoreV1().PersistentVolumes().Get(ctx, claim.Spec.VolumeName, metav1.GetOptions{})
	if err != nil {
		return ignoreGone(err)
	}
	if volume.Annotations[provisionedBy] != g.provisioner || volume.Spec.Local == nil {
		return nil
	}
	wanted := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	if wanted.Cmp(volume.Spec.Capacity[corev1.ResourceStorage]) > 0 {
		if err := growFileSystem(volume.Spec.Local.Path, wanted.Value()); err != nil {
			return err
		}
		volume.Spec.Capacity[corev1.ResourceStorage] = wanted
		if _, err := g.client.CoreV1().PersistentVolumes().Update(ctx, volume, metav1.UpdateOptions{}); err != nil {
			return err
		}
	}
	if wanted.Cmp(claim.Status.Capacity[corev1.ResourceStorage]) > 0 {
		claim.Status.Capacity[corev1.ResourceStorage] = wanted
		_, err = claims.UpdateStatus(ctx, claim, metav1.UpdateOptions{})
	}
	return err
}

func ignoreGone(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
