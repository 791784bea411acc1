/** Labels and annotations. */
type Texts = Readonly<Record<string, string>>;

/** An object of Kubernetes; what a test reads of its kind is in the interfaces below. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Texts;
    readonly annotations?: Texts;
  };
}

/** The files of a ConfigMap. */
export interface ConfigMap extends KubernetesObject {
  readonly data: Texts;
}

/** The files of a Secret, in base64. */
export interface Secret extends KubernetesObject {
  readonly data: Texts;
}

/** An HTTP request by which the kubelet asks a container. */
interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}

/** A container of a pod. */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly securityContext: unknown;
  readonly resources: { readonly requests: Texts; readonly limits: Texts };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}

/** Where the files of a volume come from. */
export interface Volume {
  readonly name: string;
  readonly projected?: { readonly sources: readonly { readonly configMap: { readonly name: string } }[] };
  readonly secret?: { readonly secretName: string };
  readonly emptyDir?: unknown;
}

/** The pods of a Deployment, and how they are replaced. */
export interface Deployment extends KubernetesObject {
  readonly spec: {
    readonly replicas?: number;
    readonly strategy: unknown;
    readonly selector: { readonly matchLabels: Texts };
    readonly template: {
      readonly metadata: { readonly labels: Texts };
      readonly spec: {
        readonly serviceAccountName: string;
        readonly automountServiceAccountToken: boolean;
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: unknown;
        readonly initContainers: readonly Container[];
        readonly containers: readonly Container[];
        readonly volumes: readonly Volume[];
      };
    };
  };
}

/** A NetworkPolicy: what it permits. */
interface NetworkPolicy extends KubernetesObject {
  readonly spec: {
    readonly ingress: readonly { readonly from: unknown; readonly ports: readonly { readonly port: string }[] }[];
    readonly egress: readonly { readonly ports: readonly { readonly port: number }[] }[];
  };
}

/** A Service: where its ports lead. */
interface Service extends KubernetesObject {
  readonly spec: { readonly ports: readonly { readonly name: string; readonly targetPort: string }[] };
}

/** A ServiceAccount. */
interface ServiceAccount extends KubernetesObject {
  readonly automountServiceAccountToken: boolean;
}

/** What an autoscaler looks at. */
interface HorizontalPodAutoscaler extends KubernetesObject {
  readonly spec: {
    readonly minReplicas: number;
    readonly scaleTargetRef: { readonly name: string };
    readonly metrics: readonly {
      readonly resource?: { readonly name: string };
      readonly pods?: {
        readonly metric: { readonly name: string };
        readonly target: { readonly averageValue: string };
      };
    }[];
  };
}

/** What Prometheus scrapes. */
interface ServiceMonitor extends KubernetesObject {
  readonly spec: { readonly selector: { readonly matchLabels: Texts }; readonly endpoints: readonly unknown[] };
}

/** The kinds that the tests look for. */
export interface Kinds {
  readonly ConfigMap: ConfigMap;
  readonly Deployment: Deployment;
  readonly HorizontalPodAutoscaler: HorizontalPodAutoscaler;
  readonly Namespace: KubernetesObject;
  readonly NetworkPolicy: NetworkPolicy;
  readonly Secret: Secret;
  readonly Service: Service;
  readonly ServiceAccount: ServiceAccount;
  readonly ServiceMonitor: ServiceMonitor;
}
